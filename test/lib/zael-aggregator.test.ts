import { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { describe, expect, test } from 'vitest'
import type { AlertAccess } from '../../lib/alert-access.ts'
import { ZaelAggregator } from '../../lib/zael-aggregator.ts'
import { ZaelApi } from '../../lib/zael-api.ts'
import { ZaelStack } from '../../lib/zael-stack.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf, permissionsOf, synthesize } from './synthesize.ts'

const MAPPING = 'AWS::Lambda::EventSourceMapping'

describe('the aggregator', () => {
  const template = synthesize('aws')
  const tableId = idOf(template, 'AWS::DynamoDB::Table', 'Table')
  const queueId = idOf(template, 'AWS::SQS::Queue', 'AggregatorDeadLetters')

  test('can read and update the table, read its stream and send dead letters, and nothing else', () => {
    const table = JSON.stringify({ 'Fn::GetAtt': [tableId, 'Arn'] })
    const index = JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [tableId, 'Arn'] }, '/index/GSI1']] })
    const stream = JSON.stringify({ 'Fn::GetAtt': [tableId, 'StreamArn'] })
    const queue = JSON.stringify({ 'Fn::GetAtt': [queueId, 'Arn'] })
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', 'AggregatorHandlerLogs'), 'Arn'],
    })
    expect(permissionsOf(template, 'AggregatorHandler').toSorted()).toEqual(
      [
        ['dynamodb:BatchGetItem', table],
        ['dynamodb:GetItem', table],
        ['dynamodb:PutItem', table],
        ['dynamodb:UpdateItem', table],
        ['dynamodb:Query', index],
        ['dynamodb:DescribeStream', stream],
        ['dynamodb:GetRecords', stream],
        ['dynamodb:GetShardIterator', stream],
        ['dynamodb:ListStreams', '"*"'],
        ['sqs:GetQueueAttributes', queue],
        ['sqs:GetQueueUrl', queue],
        ['sqs:SendMessage', queue],
        ['logs:CreateLogStream', logs],
        ['logs:PutLogEvents', logs],
      ].toSorted(),
    )
  })

  test('reads the whole stream in batches, bisects a failing one, and drops a record after ten attempts', () => {
    template.hasResourceProperties(MAPPING, {
      EventSourceArn: { 'Fn::GetAtt': [tableId, 'StreamArn'] },
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 5,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 43_200,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queueId, 'Arn'] } } },
    })
  })

  test('keeps dead letters for two weeks, encrypted, and accepts them only over TLS', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    })
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    })
  })

  test('is invoked only for written buckets, not for its own writes', () => {
    const [mapping] = Object.values(template.findResources(MAPPING))
    const filters: readonly { readonly Pattern: string }[] = mapping?.Properties.FilterCriteria.Filters ?? []
    const keys = (owner: string, sortKey: unknown) => ({
      eventName: ['INSERT', 'MODIFY'],
      dynamodb: { Keys: { PK: { S: [{ prefix: owner }] }, SK: { S: [sortKey] } } },
    })
    expect(filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual([
      keys('ENTITY#', { prefix: 'BUCKET#' }),
      keys('POLICY#', 'BUCKET'),
    ])
  })

  test('is invoked by nothing else if no alert has a receiver', () => {
    template.resourceCountIs('AWS::Events::Rule', 0)
  })
})

describe('the receivers of alerts', () => {
  const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:signing-AbCdEf'
  const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alerts'

  const withAlerts = (alerts: AlertAccess) => {
    const stack = new ZaelStack(createApp(), 'Zael-demo', { name: 'demo', alerts })
    return Template.fromStack(stack)
  }

  test('can be used by the aggregator, and nothing else can', () => {
    const template = withAlerts({ alertTopics: [TOPIC], alertSecrets: [SECRET] })
    const ofAggregator = permissionsOf(template, 'AggregatorHandler').map(String)
    expect(ofAggregator).toContain(`sns:Publish,"${TOPIC}"`)
    expect(ofAggregator).toContain(`secretsmanager:GetSecretValue,"${SECRET}"`)
    const ofApi = permissionsOf(template, 'ApiHandler').map(String)
    expect(ofApi.filter((each) => each.includes(TOPIC) || each.includes(SECRET))).toEqual([])
  })

  test('are settings of the aggregator and of the API, which accepts no others', () => {
    const template = withAlerts({
      alertTopics: [TOPIC],
      alertSecrets: [SECRET],
      alertWebhookAddresses: 'private',
    })
    const environments = Object.values(template.findResources('AWS::Lambda::Function'))
      .map(({ Properties }) => Properties.Environment?.Variables ?? {})
      .filter((variables) => 'ALERT_TOPIC_ARNS' in variables)
    const expected = {
      ALERT_TOPIC_ARNS: TOPIC,
      ALERT_ALLOWED_SECRET_ARNS: SECRET,
      ALERT_WEBHOOK_ADDRESSES: 'private',
    }
    expect(environments).toHaveLength(2)
    for (const environment of environments) expect(environment).toMatchObject(expected)
  })

  test.each<[string, AlertAccess]>([
    ['topics', { alertTopics: [TOPIC] }],
    ['secrets', { alertSecrets: [SECRET] }],
  ])('with %s, a schedule invokes the aggregator once a minute', (_, alerts) => {
    const template = withAlerts(alerts)
    const fn = idOf(template, 'AWS::Lambda::Function', 'AggregatorHandler')
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [fn, 'Arn'] } })],
    })
  })

  test('include the key of an encrypted topic', () => {
    const stack = new Stack(createApp(), 'Mine')
    const { table, streamArn } = new ZaelTable(stack, 'Limits')
    const topic = new Topic(stack, 'Alerts', { masterKey: new Key(stack, 'Key') })
    new ZaelAggregator(stack, 'Usage', { table, streamArn, alertTopics: [topic] })
    const actions = permissionsOf(Template.fromStack(stack), 'UsageHandler').map(([action]) => action)
    expect(actions).toEqual(expect.arrayContaining(['sns:Publish', 'kms:Decrypt', 'kms:GenerateDataKey*']))
  })

  test.each<[AlertAccess, string]>([
    [{ alertTopics: [`${TOPIC}.fifo`] }, 'alertTopics must be standard topics'],
    [{ alertTopics: ['alerts'] }, 'alertTopics must be standard topics'],
    [{ alertSecrets: [SECRET.slice(0, -7)] }, 'alertSecrets must be secrets or their complete ARNs'],
  ])('%j is rejected at synthesis', (alerts, message) => {
    expect(() => withAlerts(alerts)).toThrow(message)
  })

  test("cannot be signed with zael's own tokens", () => {
    const stack = new Stack(createApp(), 'Mine')
    const { table } = new ZaelTable(stack, 'Limits')
    const { admin, viewer } = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
    const api = () =>
      new ZaelApi(stack, 'Api', { table, adminToken: admin, viewerToken: viewer, alertSecrets: [admin] })
    expect(api).toThrow("alertSecrets must not contain the secrets of zael's own tokens")
  })
})

test('invalid settings are rejected at synthesis', () => {
  const stack = new Stack(createApp(), 'Mine')
  const { table, streamArn } = new ZaelTable(stack, 'Limits')
  const withEnvironment = (environment: Readonly<Record<string, string>>) => () =>
    new ZaelAggregator(stack, String(Object.keys(environment)), { table, streamArn, environment })
  expect(withEnvironment({ LOG_LEVEL: 'loud' })).toThrow('environment: LOG_LEVEL must')
  expect(withEnvironment({ ALERT_TOPIC_ARNS: 'a' })).toThrow(
    'ALERT_TOPIC_ARNS cannot be set: use alertTopics',
  )
})
