import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, test } from 'vitest'
import { ZaelTable } from '../../lib/zael-table.ts'
import { TTL_ATTRIBUTE, tableDefinition } from '../../src/store/dynamodb/table-definition.ts'
import { createApp, synthesize } from './synthesize.ts'

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
