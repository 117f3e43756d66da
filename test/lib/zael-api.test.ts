import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { ZaelApi } from '../../lib/zael-api.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf, permissionsOf, synthesize } from './synthesize.ts'

describe('the API on AWS', () => {
  const template = synthesize('aws')
  const tableId = idOf(template, 'AWS::DynamoDB::Table', 'Table')

  test('may do on the table what it does, and nothing else anywhere', () => {
    const table = JSON.stringify({ 'Fn::GetAtt': [tableId, 'Arn'] })
    const index = JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [tableId, 'Arn'] }, '/index/GSI1']] })
    const secret = (prefix: string) =>
      JSON.stringify({ Ref: idOf(template, 'AWS::SecretsManager::Secret', `Tokens${prefix}`) })
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', 'ApiHandlerLogs'), 'Arn'],
    })
    expect(permissionsOf(template, 'ApiHandler').toSorted()).toEqual(
      [
        ['dynamodb:BatchGetItem', table],
        ['dynamodb:ConditionCheckItem', table],
        ['dynamodb:DeleteItem', table],
        ['dynamodb:GetItem', table],
        ['dynamodb:PutItem', table],
        ['dynamodb:Query', index],
        ['dynamodb:Query', table],
        ['dynamodb:UpdateItem', table],
        ['logs:CreateLogStream', logs],
        ['logs:PutLogEvents', logs],
        ['secretsmanager:GetSecretValue', secret('Admin')],
        ['secretsmanager:GetSecretValue', secret('Viewer')],
      ].toSorted(),
    )
  })

  test('runs on arm64 and a runtime that functions can still be made with', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'zael: the HTTP API',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
    })
  })

  test('streams its answers, for as long as the Lambda runs', () => {
    template.allResourcesProperties('AWS::ApiGateway::Method', {
      HttpMethod: 'ANY',
      Integration: { Type: 'AWS_PROXY', ResponseTransferMode: 'STREAM', TimeoutInMillis: 300_000 },
    })
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 300,
      Environment: { Variables: { RESPONSE_STREAMING: 'true' } },
    })
  })

  test('is regional, throttled, and logs who called without what they sent', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: { Types: ['REGIONAL'] },
    })
    const [stage] = Object.values(template.findResources('AWS::ApiGateway::Stage'))
    expect(stage?.Properties.MethodSettings).toEqual([
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'ERROR',
        ThrottlingRateLimit: 1000,
        ThrottlingBurstLimit: 2000,
      },
    ])
    const format: string = stage?.Properties.AccessLogSetting.Format
    expect(format).toContain('$context.status')
    expect(format).not.toMatch(/authorizer|header|authorization|apiKey/i)
  })

  test('has the root and every path below it answered by the Lambda', () => {
    template.resourceCountIs('AWS::ApiGateway::Method', 2)
    template.hasResourceProperties('AWS::ApiGateway::Resource', { PathPart: '{proxy+}' })
  })
})

test('a web ACL of the user stands before the API', () => {
  const stack = new Stack(createApp(), 'Mine')
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  new ZaelApi(stack, 'Api', {
    table: new ZaelTable(stack, 'Limits').table,
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
    webAclArn: 'arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/mine/1',
  })
  Template.fromStack(stack).resourceCountIs('AWS::WAFv2::WebACLAssociation', 1)
})

test('keys of a file are refused before anything is deployed', () => {
  const stack = new Stack(createApp(), 'Mine')
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  const made = () =>
    new ZaelApi(stack, 'Api', {
      table: new ZaelTable(stack, 'Limits').table,
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      environment: { API_KEYS_JSON: '{"keys": {}}' },
    })
  expect(made).toThrow('API_KEYS_JSON cannot be set: make keys by POST /api/entities/{id}/keys')
})

test('the API on an emulator answers at once: it has no mode of transfer that emulators do not know', () => {
  const template = synthesize('local')
  expect(JSON.stringify(template.toJSON())).not.toMatch(/ResponseTransferMode|response-streaming/)
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { RESPONSE_STREAMING: 'false' } },
  })
})
