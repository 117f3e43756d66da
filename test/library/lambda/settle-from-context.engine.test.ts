import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AuthorizerOptions } from '../../../src/contract/authorizer.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import {
  type ContextSettler,
  createContextSettler,
  headersFromContext,
  settleFromContext,
} from '../../../src/library/lambda/settle-from-context.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { TEST_CREDENTIALS } from '../../engine/start-dynalite.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { authorizedEvent, createCaller } from '../../support/authorized-requests.ts'

let table: TestTable
let settler: ContextSettler

beforeAll(async () => {
  table = await startTestTable()
  settler = createContextSettler(atTable())
})

afterAll(async () => {
  settler.close()
  await table.close()
})

afterEach(() => {
  vi.unstubAllEnvs()
})

const atTable = () => ({
  tableName: table.tableName,
  endpoint: table.endpoint,
  region: 'us-east-1',
  credentials: TEST_CREDENTIALS,
  deadlineMs: 10_000,
  logger: silentLogger,
})

const newCaller = (id: string) => createCaller(table, id)

const authorized = (key: string, options: AuthorizerOptions) => authorizedEvent(table, key, options)

const bucketOf = (entityId: string) =>
  createDynamoBucketStore(table.client, table.tableName).read(entityBucket(entityId, '_default_'))

const RESERVING = { settles: true, cost: { requests: 1, tokens: 400 } } as const

describe('a request behind the authorizer', () => {
  test('is settled to its actual cost in all of its buckets, once, and counted before the response', async () => {
    await newCaller('ann')
    const event = await authorized('ann', RESERVING)
    expect(await bucketOf('ann')).not.toHaveProperty('used_tokens')
    expect(await settler.settle(event, { tokens: 150 })).toEqual({ settled: true, state: 'settled' })
    expect(await settler.settle(event, { tokens: 999 })).toEqual({ settled: false, state: 'settled' })
    expect(await settler.release(event)).toEqual({ settled: false, state: 'settled' })
    for (const id of ['ann', 'ann-parent'])
      expect(await bucketOf(id)).toMatchObject({ used_requests: 1n, used_tokens: 150n })
  })

  test('is counted before the response also if it used what was reserved', async () => {
    await newCaller('ida')
    expect(await settler.settle(await authorized('ida', RESERVING), {})).toMatchObject({ settled: true })
    for (const id of ['ida', 'ida-parent'])
      expect(await bucketOf(id)).toMatchObject({ used_requests: 1n, used_tokens: 400n })
  })

  test('may cost more than was reserved: shared buckets are charged in full, as the function is trusted', async () => {
    await newCaller('ben')
    await settler.settle(await authorized('ben', RESERVING), { requests: 1, tokens: 5000 })
    expect(await bucketOf('ben-parent')).toMatchObject({ used_tokens: 5000n })
    const next = await authorized('ben', { cost: { tokens: 1 } })
    expect(next.requestContext.authorizer).toMatchObject({ limitName: 'tpm', available: '0' })
  })

  test('is refunded if it is released', async () => {
    await newCaller('cleo')
    expect(await settler.release(await authorized('cleo', RESERVING))).toEqual({
      settled: true,
      state: 'released',
    })
    const next = await authorized('cleo', { cost: { tokens: 1000 } })
    expect(next.requestContext.authorizer).not.toHaveProperty('limitName')
  })

  test('has nothing to settle if the authorizer reserved nothing', async () => {
    await newCaller('dan')
    const event = await authorized('dan', {})
    expect(await settler.settle(event, { requests: 3 })).toEqual({ settled: false, state: 'none' })
    expect(await bucketOf('dan')).toMatchObject({ used_requests: 1n })
  })

  test('is not failed by a reservation of another table, or of another caller', async () => {
    await newCaller('eve')
    const event = await authorized('eve', RESERVING)
    const { authorizer } = event.requestContext
    const foreign = { requestContext: { authorizer: { ...authorizer, entityId: 'ann' } } }
    expect(await settler.settle(foreign, {})).toEqual({ settled: false, state: 'none' })
    const odd = { requestContext: { authorizer: { ...authorizer, reservationId: '#' } } }
    expect(await settler.settle(odd, {})).toEqual({ settled: false, state: 'none' })
    expect(await settler.settle(event, {})).toEqual({ settled: true, state: 'settled' })
  })

  test('is not failed by a table that is unavailable, which the log names', async () => {
    await newCaller('fay')
    const event = await authorized('fay', RESERVING)
    const warnings: unknown[] = []
    const logger = { ...silentLogger, warn: (...line: readonly unknown[]) => void warnings.push(line) }
    const nowhere = createContextSettler({ ...atTable(), endpoint: 'http://127.0.0.1:9', logger })
    expect(await nowhere.settle(event, {})).toEqual({ settled: false, state: 'unavailable' })
    nowhere.close()
    expect(warnings).toContainEqual(['settlement not written', { reason: expect.any(String) }])
  })

  test('is settled in the table of the environment', async () => {
    await newCaller('gus')
    const environment = {
      ZAEL_TABLE_NAME: table.tableName,
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    }
    const event = await authorized('gus', RESERVING)
    await expect(settleFromContext(event, {})).rejects.toMatchObject({ field: 'tableName' })
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    expect(await settleFromContext(event, { tokens: 7 })).toEqual({ settled: true, state: 'settled' })
    expect(await bucketOf('gus')).toMatchObject({ used_tokens: 7n })
  })

  test('has the rate-limit headers for its response', async () => {
    await newCaller('hal')
    expect(headersFromContext(await authorized('hal', RESERVING))).toEqual({
      RateLimit: '"rpm";r=99, "tpm";r=600',
      'RateLimit-Policy': '"rpm";q=100;w=100000, "tpm";q=1000;w=1000000;zael-meter="tokens"',
    })
  })
})

describe('a mistake of the function', () => {
  test.each([
    undefined,
    null,
    'event',
    {},
    { requestContext: { authorizer: null } },
    { requestContext: { authorizer: { principalId: 'x' } } },
  ])('is an error if the event is %j', async (event) => {
    await expect(settler.settle(event, {})).rejects.toThrow('requestContext.authorizer.entityId')
    expect(() => headersFromContext(event)).toThrow(TypeError)
  })

  test.each([{ tokens: -1 }, { tokens: 0.5 }, { token: 1 }])(
    'is an error if the cost is %j',
    async (actual) => {
      const event = { requestContext: { authorizer: { entityId: 'ann', reservationId: 'x' } } }
      await expect(settler.settle(event, actual)).rejects.toBeInstanceOf(TypeError)
    },
  )
})
