import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, test } from 'vitest'
import { ZaelTable } from '../../lib/zael-table.ts'
import { TTL_ATTRIBUTE, tableDefinition } from '../../src/store/dynamodb/table-definition.ts'
import { createApp, idOf, permissionsOf, type Statement, synthesize } from './synthesize.ts'

const TYPE = 'AWS::DynamoDB::Table'

describe('the table on AWS', () => {
  const template = synthesize('aws')

  test('streams new and old images, which the aggregator compares', () => {
    template.hasResourceProperties(TYPE, { StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } })
  })

  test('lets items expire by the attribute ttl', () => {
    template.hasResourceProperties(TYPE, { TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } })
  })

  test('is encrypted, has point-in-time recovery, and is billed per request', () => {
    template.hasResourceProperties(TYPE, {
      TableName: 'ZAEL-demo',
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    })
  })

  test('outlives the stack, and is protected from deletion', () => {
    template.hasResource(TYPE, {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    })
  })

  test('indexes only items that have the keys of the listing', () => {
    template.hasResourceProperties(TYPE, {
      KeySchema: [
        { AttributeName: 'PK', KeyType: 'HASH' },
        { AttributeName: 'SK', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'GSI1',
          KeySchema: [
            { AttributeName: 'GSI1PK', KeyType: 'HASH' },
            { AttributeName: 'GSI1SK', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    })
  })
})

test('the table on an emulator is deleted with the stack', () => {
  const template = synthesize('local')
  template.hasResource(TYPE, { DeletionPolicy: 'Delete' })
  expect(JSON.stringify(template.findResources(TYPE))).not.toMatch(/DeletionProtection|PointInTime|SSE/)
})

test('a key of the user encrypts the table in their own stack', () => {
  const stack = new Stack(createApp(), 'Mine')
  const encryptionKey = new Key(stack, 'Key')
  new ZaelTable(stack, 'Limits', { encryptionKey })
  Template.fromStack(stack).hasResourceProperties(TYPE, { SSESpecification: { SSEType: 'KMS' } })
})

describe('the table of a test on AWS', () => {
  const stack = new Stack(createApp(), 'Mine')
  new ZaelTable(stack, 'Limits', { removalPolicy: RemovalPolicy.DESTROY })
  const template = Template.fromStack(stack)

  test('is deleted with the stack', () => {
    template.hasResource(TYPE, {
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
      Properties: { DeletionProtectionEnabled: false },
    })
  })

  test('is otherwise the same: encrypted, with point-in-time recovery', () => {
    template.hasResourceProperties(TYPE, {
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    })
  })
})

test('a table on an emulator can be kept', () => {
  const stack = new Stack(createApp(), 'Mine')
  new ZaelTable(stack, 'Limits', { flavour: 'local', removalPolicy: RemovalPolicy.RETAIN })
  Template.fromStack(stack).hasResource(TYPE, { DeletionPolicy: 'Retain' })
})

test('a snapshot, which DynamoDB does not make, is rejected', () => {
  const stack = new Stack(createApp(), 'Mine')
  expect(() => new ZaelTable(stack, 'Limits', { removalPolicy: RemovalPolicy.SNAPSHOT })).toThrow(
    'removalPolicy must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE, not SNAPSHOT',
  )
})

describe('grantDecide', () => {
  const DECIDE = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem']
  const roleIn = (stack: Stack) =>
    new Role(stack, 'Mine', { assumedBy: new AccountPrincipal('123456789012') })

  test('allows the operations of a decision on the table, and no others', () => {
    const stack = new Stack(createApp(), 'Mine')
    new ZaelTable(stack, 'Limits').grantDecide(roleIn(stack))
    const template = Template.fromStack(stack)
    const arn = JSON.stringify({ 'Fn::GetAtt': [idOf(template, TYPE, 'Limits'), 'Arn'] })
    expect(permissionsOf(template, 'Mine').toSorted()).toEqual(DECIDE.map((action) => [action, arn]))
  })

  test('allows to write buckets, and neither API keys nor defaults nor reservations', () => {
    const stack = new Stack(createApp(), 'Mine')
    new ZaelTable(stack, 'Limits').grantDecide(roleIn(stack))
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    const statements: readonly Statement[] = policy?.Properties.PolicyDocument.Statement
    expect(statements.filter(({ Condition }) => Condition)).toMatchObject([
      {
        Action: 'dynamodb:UpdateItem',
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['ENTITY#*', 'POLICY#*'] } },
      },
    ])
  })

  test("allows to use the customer's key of the table", () => {
    const stack = new Stack(createApp(), 'Mine')
    const encryptionKey = new Key(stack, 'Key')
    new ZaelTable(stack, 'Limits', { encryptionKey }).grantDecide(roleIn(stack))
    const template = Template.fromStack(stack)
    const key = JSON.stringify({ 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Key'), 'Arn'] })
    const onKey = permissionsOf(template, 'Mine').filter(([, resource]) => resource === key)
    expect(onKey.map(([action]) => action).toSorted()).toEqual([
      'kms:Decrypt',
      'kms:Encrypt',
      'kms:GenerateDataKey*',
      'kms:ReEncrypt*',
    ])
  })

  test('on an imported table names its ARN in this account and region, and its key', () => {
    const stack = new Stack(createApp(), 'Mine', { env: { account: '123456789012', region: 'eu-central-1' } })
    const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000'
    const encryptionKey = Key.fromKeyArn(stack, 'Key', keyArn)
    ZaelTable.fromTableName(stack, 'Limits', 'ZAEL-prod', { encryptionKey }).grantDecide(roleIn(stack))
    const permissions = permissionsOf(Template.fromStack(stack), 'Mine')
    const [, arn = ''] = permissions.find(([action]) => action === 'dynamodb:UpdateItem') ?? []
    expect(JSON.parse(arn)).toEqual({
      'Fn::Join': [
        '',
        ['arn:', { Ref: 'AWS::Partition' }, ':dynamodb:eu-central-1:123456789012:table/ZAEL-prod'],
      ],
    })
    expect(
      permissions.filter(([action]) => action.startsWith('dynamodb:')).map(([action]) => action),
    ).toEqual(DECIDE)
    expect(permissions).toContainEqual(['kms:Decrypt', JSON.stringify(keyArn)])
  })

  test.each(['', 'a', 'ZAEL prod', 'arn:aws:dynamodb:eu-central-1:123456789012:table/ZAEL-prod'])(
    'an imported table has a name: %j is rejected',
    (name) => {
      expect(() => ZaelTable.fromTableName(new Stack(createApp(), 'Mine'), 'Limits', name)).toThrow(
        'tableName must',
      )
    },
  )
})

test('the stack creates the same table as the store does elsewhere', () => {
  const [table] = Object.values(synthesize('local').findResources(TYPE))
  const own = tableDefinition('ZAEL-demo', { stream: true })
  expect(table?.Properties).toMatchObject({
    TableName: own.TableName,
    KeySchema: own.KeySchema,
    AttributeDefinitions: own.AttributeDefinitions,
    GlobalSecondaryIndexes: own.GlobalSecondaryIndexes,
    BillingMode: own.BillingMode,
    StreamSpecification: { StreamViewType: own.StreamSpecification?.StreamViewType },
    TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE },
  })
})
