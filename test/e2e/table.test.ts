import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { chat, dynamodb, newCaller, output, scanTable } from './deployment.ts'

test('the table has the designed keys and settings', async () => {
  const { Table: table } = await dynamodb.send(new DescribeTableCommand({ TableName: output('TableName') }))
  expect(table?.TableName).toBe('ZAEL-demo')
  expect(table?.KeySchema).toEqual([
    { AttributeName: 'PK', KeyType: 'HASH' },
    { AttributeName: 'SK', KeyType: 'RANGE' },
  ])
  expect(table?.StreamSpecification).toEqual({ StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' })
  expect(table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(['GSI1'])
})

test('a scan shows a readable bucket: its limits as text, its use as numbers', async () => {
  const { entityId, key } = await newCaller({ rpm: 6, tpm: 600 })
  const { body } = await chat(key)
  const items = await scanTable()
  const bucket = items.find(({ PK, SK }) => PK?.S === `ENTITY#${entityId}` && SK?.S === 'BUCKET#gpt-4')
  expect(bucket).toMatchObject({
    rpm_limit: { S: 'token_bucket 6 per 43200s' },
    tpm_limit: { S: 'token_bucket 600 per 43200s' },
    used_requests: { N: '1' },
    used_tokens: { N: String(body.usage.total_tokens) },
  })
  expect(Number(bucket?.ttl?.N)).toBeGreaterThan(Date.now() / 1000)
  expect(bucket).not.toHaveProperty('GSI1PK')
})

test('a scan shows no secret', async () => {
  const { key } = await newCaller({ rpm: 1 })
  expect(JSON.stringify(await scanTable())).not.toContain(key)
})
