import { readFileSync } from 'node:fs'
import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ZaelTable } from '../../lib/zael-table.ts'
import { functionTemplate } from '../../scripts/templates/function-template.ts'
import { type CloudFormationTemplate, templateText } from '../../scripts/templates/synthesize.ts'
import { zaelTemplate } from '../../scripts/templates/zael-template.ts'
import { createApp, resourcesOf, synthesize } from '../lib/synthesize.ts'

describe('the template for CloudFormation', () => {
  let template: CloudFormationTemplate
  let text: string
  beforeAll(() => {
    template = zaelTemplate()
    text = templateText(template)
  })

  test('needs no bootstrap of the CDK and no assets', () => {
    expect(text).not.toMatch(/bootstrap|cdk-|AssetParameters|aws:cdk/i)
  })

  test('has the parameters that it uses, and no others', () => {
    const parameters = Object.keys(template.Parameters ?? {})
    const named = ({ Ref }: { readonly Ref?: unknown }) => (typeof Ref === 'string' ? [Ref] : [])
    const refs = new Set(objectsIn(template).flatMap(named))
    const known = [...parameters, ...Object.keys(template.Resources)]
    expect([...refs].filter((ref) => !ref.startsWith('AWS::') && !known.includes(ref))).toEqual([])
    expect(parameters.filter((name) => !refs.has(name))).toEqual([])
  })

  test('takes the code of each function from the bucket, under a key with the version', () => {
    const codes = Object.values(template.Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::Lambda::Function' ? [Properties?.Code] : [],
    )
    const from = (key: string) => ({ S3Bucket: { Ref: 'CodeBucket' }, S3Key: { Ref: key } })
    expect(codes).toEqual([from('ApiCodeKey'), from('AggregatorCodeKey')])
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(template.Parameters).toMatchObject({
      ApiCodeKey: { Default: `zael/${version}/api.zip` },
      AggregatorCodeKey: { Default: `zael/${version}/aggregator.zip` },
    })
  })

  test('has the resources of ZaelStack', () => {
    const types = (resources: Readonly<Record<string, { readonly Type: string }>>) =>
      Object.values(resources)
        .map(({ Type }) => Type)
        .toSorted()
    expect(types(template.Resources)).toEqual(types(resourcesOf(synthesize('aws'))))
  })

  test("sets the account's role for logs only if the parameter says so, and before the stage that logs", () => {
    const conditional = Object.entries(template.Resources).filter(
      ([, { Condition }]) => Condition !== undefined,
    )
    const account = conditional.find(([, { Type }]) => Type === 'AWS::ApiGateway::Account')?.[0]
    expect(conditional.map(([, { Type }]) => Type).toSorted()).toEqual([
      'AWS::ApiGateway::Account',
      'AWS::IAM::Role',
    ])
    expect(template.Conditions).toEqual({
      SetsCloudWatchRole: { 'Fn::Equals': [{ Ref: 'SetCloudWatchRole' }, 'true'] },
    })
    const stage = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::ApiGateway::Stage')
    expect(stage?.DependsOn).not.toContain(account)
    expect(stage?.Properties?.Description).toEqual({
      'Fn::If': ['SetsCloudWatchRole', { 'Fn::Join': ['', ['zael, after ', { Ref: account }]] }, 'zael'],
    })
  })

  test('can be sent to CloudFormation without a bucket for templates', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(51_200)
  })

  test('means the same as text', () => {
    expect(parse(text, { version: '1.1' })).toEqual(JSON.parse(JSON.stringify(template)))
  })
})

const objectsIn = (value: unknown): readonly object[] =>
  typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(objectsIn)] : []

describe('the function of AWS SAM', () => {
  test('has the permissions of grantDecide', () => {
    const stack = new Stack(createApp(), 'Mine')
    const role = new Role(stack, 'Mine', { assumedBy: new AccountPrincipal('123456789012') })
    ZaelTable.fromTableName(stack, 'Limits', 'ZAEL-prod').grantDecide(role)
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    const withoutResource = ({ Resource: _, ...statement }: { readonly Resource?: unknown }) => statement
    const { Properties } = functionTemplate().Resources.Orders ?? {}
    const [{ Statement }] = Object(Properties).Policies
    expect(Statement.map(withoutResource)).toEqual(
      policy?.Properties.PolicyDocument.Statement.map(withoutResource),
    )
    for (const { Resource } of Statement) {
      expect(Resource['Fn::Join'][1].slice(-2)).toEqual([':table/', { Ref: 'LimitsTable' }])
    }
  })

  test('is the template of the example: npm run template -- --example', () => {
    const example = readFileSync(new URL('../../examples/sam/template.yaml', import.meta.url), 'utf8')
    expect(example).toBe(templateText(functionTemplate()))
  })
})
