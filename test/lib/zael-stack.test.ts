import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterEach, describe, expect, test } from 'vitest'
import { ZaelStack } from '../../lib/zael-stack.ts'
import { EMULATOR_RESOURCE_TYPES } from './emulator-resource-types.ts'
import { createApp, resourcesOf, synthesize } from './synthesize.ts'

describe('the stack on AWS', () => {
  const template = synthesize('aws')

  test('says where the API, the table, the page and the tokens are', () => {
    expect(Object.keys(template.toJSON().Outputs).toSorted()).toEqual([
      'AdminTokenSecretArn',
      'AggregatorFunctionName',
      'ApiUrl',
      'DashboardUrl',
      'DeadLetterQueueUrl',
      'TableName',
      'ViewerTokenSecretArn',
    ])
  })

  test('keeps every log a month', () => {
    const groups = Object.values(template.findResources('AWS::Logs::LogGroup'))
    expect(groups).toHaveLength(4)
    for (const group of groups) expect(group.Properties.RetentionInDays).toBe(30)
  })

  test('has its tokens made by Secrets Manager: none stands in the template', () => {
    const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'))
    expect(secrets).toHaveLength(2)
    for (const { Properties } of secrets) {
      expect(Properties.GenerateSecretString).toEqual({ ExcludePunctuation: true, PasswordLength: 48 })
      expect(Properties.SecretString).toBeUndefined()
    }
  })

  test('gives no role a policy of AWS, but the one that API Gateway logs with', () => {
    const managed = Object.values(template.findResources('AWS::IAM::Role')).flatMap(
      ({ Properties }) => Properties.ManagedPolicyArns ?? [],
    )
    expect(managed).toHaveLength(1)
    expect(JSON.stringify(managed)).toContain('AmazonAPIGatewayPushToCloudWatchLogs')
  })

  describe('under the AWS Solutions rules', () => {
    const exitCode = process.exitCode
    afterEach(() => {
      process.exitCode = exitCode
    })

    test('breaks none that is not acknowledged with a reason', () => {
      const app = createApp()
      new ZaelStack(app, 'Zael-demo', { name: 'demo' })
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
      app.synth()
      expect(process.exitCode).toBe(exitCode)
    })
  })
})

describe('the stack on an emulator', () => {
  const template = synthesize('local')

  test('has only resources that LocalStack 4.14.0 can deploy', () => {
    const types = new Set(Object.values(resourcesOf(template)).map(({ Type }) => Type))
    expect([...types].filter((type) => !EMULATOR_RESOURCE_TYPES.has(type))).toEqual([])
  })

  test('leaves nothing behind', () => {
    const kept = Object.entries(resourcesOf(template)).filter(
      ([, { DeletionPolicy }]) => DeletionPolicy === 'Retain',
    )
    expect(kept).toEqual([])
  })

  test('answers at the address of the emulator', () => {
    expect(JSON.stringify(template.toJSON().Outputs.ApiUrl.Value)).toMatch(
      /"http:\/\/localhost:4566\/_aws\/execute-api\/".*"\/",\{"Ref":"ApiDeploymentStage[^"]*"\},"\/"/,
    )
  })
})
