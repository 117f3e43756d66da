import { Stack } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { ZaelAggregator } from '../../lib/zael-aggregator.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { createApp, idOf, permissionsOf, synthesize } from './synthesize.ts'

const MAPPING = 'AWS::Lambda::EventSourceMapping'

describe('the aggregator', () => {
  const template = synthesize('aws')
  const tableId = idOf(template, 'AWS::DynamoDB::Table', 'Table')
  const queueId = idOf(template, 'AWS::SQS::Queue', 'AggregatorDeadLetters')

  test('can update the table, read its stream and send dead letters, and nothing else', () => {
    const table = JSON.stringify({ 'Fn::GetAtt': [tableId, 'Arn'] })
    const stream = JSON.stringify({ 'Fn::GetAtt': [tableId, 'StreamArn'] })
    const queue = JSON.stringify({ 'Fn::GetAtt': [queueId, 'Arn'] })
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', 'AggregatorHandlerLogs'), 'Arn'],
    })
    expect(permissionsOf(template, 'AggregatorHandler').toSorted()).toEqual(
      [
        ['dynamodb:UpdateItem', table],
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

  test('is invoked only for written buckets of entities, not for its own writes', () => {
    const [mapping] = Object.values(template.findResources(MAPPING))
    const [filter, ...more] = mapping?.Properties.FilterCriteria.Filters ?? []
    expect(more).toEqual([])
    expect(JSON.parse(filter.Pattern)).toEqual({
      eventName: ['INSERT', 'MODIFY'],
      dynamodb: { Keys: { PK: { S: [{ prefix: 'ENTITY#' }] }, SK: { S: [{ prefix: 'BUCKET#' }] } } },
    })
  })
})

test('invalid settings are rejected at synthesis', () => {
  const stack = new Stack(createApp(), 'Mine')
  const { table, streamArn } = new ZaelTable(stack, 'Limits')
  const withEnvironment = (environment: Readonly<Record<string, string>>) => () =>
    new ZaelAggregator(stack, 'Usage', { table, streamArn, environment })
  expect(withEnvironment({ LOG_LEVEL: 'loud' })).toThrow('environment: LOG_LEVEL must')
})
