import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type DynamoDbStoreOptions, dynamoDbStore } from '../../../src/library/dynamodb.ts'
import { createRateLimiter, type Logger, silentLogger } from '../../../src/library/index.ts'

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'the-secret' }
/** Nothing listens there: the port is reserved. */
const NOWHERE = 'http://127.0.0.1:1'
const LIMITS = [{ name: 'rpm', capacity: 5, refill_rate: 1 }]

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The machine's own settings of AWS are hidden. */
const withoutAwsSettings = (): void => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/dev/null')
  closing.push(() => vi.unstubAllEnvs())
}

const sdkThatFails = (name: string, message: string): void => {
  const error = Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } })
  const sdk = mockClient(DynamoDBClient)
  sdk.onAnyCommand().rejects(error)
  closing.push(() => sdk.restore())
}

const setUp = (options: Partial<DynamoDbStoreOptions>, onUnavailable: 'allow' | 'deny' = 'deny') => {
  const lines: { readonly level: string; readonly message: string; readonly fields: unknown }[] = []
  const at =
    (level: string): Logger['info'] =>
    (message, fields) =>
      void lines.push({ level, message, fields })
  const logger: Logger = { ...silentLogger, warn: at('warn'), error: at('error') }
  const store = dynamoDbStore({ tableName: 'nope', credentials: CREDENTIALS, logger, ...options })
  const limiter = createRateLimiter({ store, limits: LIMITS, onUnavailable, logger })
  closing.push(() => store.close())
  closing.push(() => limiter.close())
  return { store, limiter, lines, errors: () => lines.filter(({ level }) => level === 'error') }
}

describe.each<[name: string, reason: RegExp, region: string, prepare: () => Partial<DynamoDbStoreOptions>]>([
  [
    'a table that does not exist',
    /^ResourceNotFoundException: Requested resource not found$/,
    'eu-central-1',
    () => {
      sdkThatFails('ResourceNotFoundException', 'Requested resource not found')
      return { region: 'eu-central-1' }
    },
  ],
  [
    'no region',
    /^Region is missing$/,
    'none',
    () => {
      withoutAwsSettings()
      return { endpoint: NOWHERE }
    },
  ],
  [
    'no credentials',
    /^CredentialsProviderError: none found$/,
    'eu-central-1',
    () => ({
      region: 'eu-central-1',
      endpoint: NOWHERE,
      credentials: async () => {
        throw Object.assign(new Error('none found'), { name: 'CredentialsProviderError' })
      },
    }),
  ],
  [
    'an endpoint where nothing listens',
    /ECONNREFUSED/,
    'us-east-1',
    () => ({ region: 'us-east-1', endpoint: NOWHERE }),
  ],
])('with %s', (_, reason, region, prepare) => {
  test('a denial has the cause and no numbers, and the log one error line with table and region', async () => {
    const { limiter, errors } = setUp(prepare())
    for (let turn = 0; turn < 8; turn++) {
      expect(await limiter.check('a')).toMatchObject({
        allowed: false,
        unavailable: true,
        unavailableCause: expect.stringMatching(reason),
        limits: [],
      })
    }
    expect(errors()).toMatchObject([
      {
        message: 'store unavailable',
        fields: { table: 'nope', region, reason: expect.stringMatching(reason) },
      },
    ])
    expect(JSON.stringify(errors())).not.toContain('the-secret')
  })

  test('what is allowed has the cause as well, and is logged with a count', async () => {
    const { limiter, lines } = setUp(prepare(), 'allow')
    expect(await limiter.check('a')).toMatchObject({
      allowed: true,
      degraded: true,
      unavailableCause: expect.stringMatching(reason),
      limits: [],
    })
    await limiter.check('a')
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      {
        message: 'requests allowed without the store',
        fields: { count: 1, reason: expect.stringMatching(reason) },
      },
    ])
  })

  test('a check that only reads passes, and shows the cause in place of limits', async () => {
    const { limiter } = setUp(prepare())
    expect(await limiter.check('a', { cost: {} })).toMatchObject({
      allowed: true,
      degraded: true,
      unavailableCause: expect.stringMatching(reason),
      limits: [],
    })
  })

  test('createTable() rejects with table, region and reason, and logs nothing', async () => {
    const { store, lines } = setUp(prepare())
    const error: unknown = await store.createTable().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ZaelError', code: 'unavailable' })
    const [text = '', why = ''] = String(error).split(' cannot be created or used: ')
    expect(text).toContain(`table nope in region ${region}`)
    expect(why).toMatch(reason)
    expect(lines).toEqual([])
  })
})

test('createTable() names the keys of a table that has others', async () => {
  const sdk = mockClient(DynamoDBClient)
  closing.push(() => sdk.restore())
  sdk.on(DescribeTableCommand).resolves({
    Table: {
      TableStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
    },
  })
  const { store } = setUp({ tableName: 'orders', region: 'us-east-1' })
  await expect(store.createTable()).rejects.toThrow(
    'table orders exists with other keys: id (HASH, N); zael needs PK (HASH, S), SK (RANGE, S). Choose another table name',
  )
  expect(sdk.commandCalls(CreateTableCommand)).toEqual([])
})

test.each([
  [undefined, 'options'],
  [{}, 'tableName'],
  [{ tableName: '' }, 'tableName'],
  [{ tableName: 'a b c' }, 'tableName'],
  [{ tableName: 'ZAEL-demo', table: 'x' }, 'table'],
  [{ tableName: 'ZAEL-demo', deadline: 5 }, 'deadline'],
  [{ tableName: 'ZAEL-demo', deadlineMs: 0 }, 'deadlineMs'],
  [{ tableName: 'ZAEL-demo', maxClockSkewMs: Number.NaN }, 'maxClockSkewMs'],
  [{ tableName: 'ZAEL-demo', client: 'http://localhost' }, 'client'],
])('dynamoDbStore() names an option that is unknown or invalid: %j', (options, field) => {
  expect(() => dynamoDbStore(options as never)).toThrow(
    expect.objectContaining({ code: 'invalid_request', field }),
  )
})

describe('two limiters on two stores of one table', () => {
  const warnings = async (names: readonly (string | undefined)[], tables = ['ZAEL-demo', 'ZAEL-demo']) => {
    const warn = vi.fn()
    const limiters = names.map((name, index) => {
      const store = dynamoDbStore({
        ...{ tableName: tables[index] ?? '', region: 'us-east-1', credentials: CREDENTIALS },
        logger: silentLogger,
      })
      closing.push(() => store.close())
      const logger = { ...silentLogger, warn }
      return createRateLimiter({ store, limits: LIMITS, logger, ...(name !== undefined && { name }) })
    })
    for (const limiter of limiters) await limiter.close()
    return warn.mock.calls.map(([message]) => message)
  }

  test('log a warning if neither has a name: in two processes, that is one limit', async () => {
    expect(await warnings([undefined, undefined])).toEqual(['limiters without a name share their buckets'])
  })

  test('log nothing if one has a name, or the tables differ', async () => {
    expect(await warnings([undefined, 'login'])).toEqual([])
    expect(await warnings([undefined, undefined], ['ZAEL-demo', 'ZAEL-other'])).toEqual([])
  })
})
