import { describe, expect, test } from 'vitest'
import { createRateLimiter, memoryStore, silentLogger } from '../../../src/library/index.ts'
import {
  byMessageGroup,
  type DelayedMessage,
  type LambdaRateLimitOptions,
  perRecord,
  type SqsEvent,
  type SqsRecord,
  withRateLimit,
} from '../../../src/library/lambda.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createReportsLog } from '../middleware/reports-log.ts'
import { unavailableStore, untyped } from '../middleware/test-app.ts'
import { sqsEvent, sqsRecord } from './events.ts'

const QUEUE = 'arn:aws:sqs:eu-central-1:123456789012:orders'

type Handler = (event: SqsEvent) => unknown

/** A limited function of a queue whose handler gets `handled`; `delayed` is what was delayed. */
const create = (
  options: Partial<LambdaRateLimitOptions<SqsRecord>> = {},
  handler: Handler = () => undefined,
) => {
  const clock = createTestClock()
  const log = createReportsLog()
  const handled: string[][] = []
  const delayed: [queue: string, messages: readonly DelayedMessage[]][] = []
  const limited = withRateLimit(
    {
      limits: [{ name: 'rps', capacity: 2, refill_rate: 0.1 }],
      clock,
      ...log.options,
      changeVisibility: async (queue, messages) => void delayed.push([queue, messages]),
      ...options,
    },
    async (event: SqsEvent) => {
      handled.push(event.Records.map(({ messageId }) => messageId))
      return handler(event)
    },
  )
  return { invoke: (event: SqsEvent) => limited(event, {}), handled, delayed, clock, log }
}

const failures = (...ids: readonly string[]) => ({
  batchItemFailures: ids.map((id) => ({ itemIdentifier: id })),
})

const messages = (ids: string, options = {}) => sqsEvent(...[...ids].map((id) => sqsRecord(id, options)))

describe('a queue', () => {
  test('gets denied messages back, delayed one after the other by what each costs', async () => {
    const { invoke, handled, delayed, log } = create()
    expect(await invoke(messages('abcde'))).toEqual(failures('c', 'd', 'e'))
    expect(handled).toEqual([['a', 'b']])
    expect(delayed).toEqual([
      [
        QUEUE,
        [
          { receiptHandle: 'handle-c', seconds: 10 },
          { receiptHandle: 'handle-d', seconds: 20 },
          { receiptHandle: 'handle-e', seconds: 30 },
        ],
      ],
    ])
    expect(log.denials.map(({ key }) => key)).toEqual(Array(3).fill('queue:orders'))
  })

  test('gets each message back once: after its delay it passes', async () => {
    const { invoke, clock } = create()
    await invoke(messages('abcd'))
    clock.advance(10n * SECOND)
    expect(await invoke(messages('c'))).toEqual(failures())
    clock.advance(10n * SECOND)
    expect(await invoke(messages('d'))).toEqual(failures())
  })

  test('gets its whole batch back without the handler being called, if all are denied', async () => {
    const { invoke, handled } = create()
    await invoke(messages('ab'))
    expect(await invoke(messages('cd'))).toEqual(failures('c', 'd'))
    expect(handled).toEqual([['a', 'b']])
  })

  test('gets what the handler returned beside what was denied', async () => {
    const { invoke } = create({}, () => failures('a'))
    expect(await invoke(messages('abc'))).toEqual(failures('a', 'c'))
  })

  test('has no order, even if its messages have groups', async () => {
    const { invoke } = create({
      key: byMessageGroup(),
      limits: [{ name: 'rps', capacity: 1, refill_rate: 0.1 }],
    })
    const event = sqsEvent(
      sqsRecord('a', { group: 'g', queue: 'orders' }),
      sqsRecord('b', { group: 'g', queue: 'orders' }),
      sqsRecord('c', { group: 'h', queue: 'orders' }),
    )
    expect(await invoke(event)).toEqual(failures('b'))
  })

  test('may be limited by an attribute of its messages', async () => {
    const { invoke } = create({ key: ({ header }) => header('tenant') })
    const event = sqsEvent(
      ...['a', 'b', 'c'].map((id) => sqsRecord(id, { tenant: 'acme' })),
      sqsRecord('d', { tenant: 'globex' }),
      sqsRecord('e'),
    )
    expect(await invoke(event)).toEqual(failures('c'))
  })

  test('of 1,000 messages of 400 keys is decided without a message being lost', async () => {
    const { invoke, handled } = create({ key: ({ native }) => Number(native.messageId) % 400 })
    const event = sqsEvent(...Array.from({ length: 1000 }, (_, index) => sqsRecord(String(index))))
    const { batchItemFailures } = await invoke(event)
    expect(batchItemFailures).toHaveLength(200)
    expect(
      new Set([...batchItemFailures.map(({ itemIdentifier: id }) => id), ...(handled[0] ?? [])]).size,
    ).toBe(1000)
  })
})

describe('a FIFO queue', () => {
  test('gets all messages of a group back from the first denied on, and they are not charged', async () => {
    const { invoke, handled, delayed, log } = create({ key: byMessageGroup() })
    const event = sqsEvent(
      ...['a', 'b', 'c', 'd'].map((id) => sqsRecord(id, { group: 'g' })),
      sqsRecord('e', { group: 'h' }),
    )
    expect(await invoke(event)).toEqual(failures('c', 'd'))
    expect(handled).toEqual([['a', 'b', 'e']])
    expect(log.denials).toHaveLength(1)
    expect(delayed[0]?.[1]).toEqual([
      { receiptHandle: 'handle-c', seconds: 10 },
      { receiptHandle: 'handle-d', seconds: 10 },
    ])
  })

  test('keeps the order of a group also if a later, cheaper message could pass', async () => {
    const { invoke } = create({
      key: byMessageGroup(),
      cost: ({ native }) => ({ requests: native.messageId === 'b' ? 2 : 1 }),
    })
    const event = messages('abc', { group: 'g' })
    expect(await invoke(event)).toEqual(failures('b', 'c'))
  })
})

describe('a delay', () => {
  test('is at most 12 hours after the message was received', async () => {
    const { invoke, delayed } = create({
      limits: [{ name: 'rpd', algorithm: 'fixed_window', limit: 1, window: 'month' }],
    })
    await invoke(messages('ab'))
    expect(delayed[0]?.[1]).toEqual([{ receiptHandle: 'handle-b', seconds: 42_000 }])
  })

  test.each([
    ['a message can never pass', { cost: { requests: 3 } }],
    ['the store is unavailable', { store: unavailableStore() }],
    ['the wait is unknown', { limits: [{ name: 'parallel', algorithm: 'concurrency', limit: 1 }] as const }],
  ])('is left to the queue if %s', async (_, options) => {
    const { invoke, delayed } = create(options)
    const { batchItemFailures } = await invoke(messages('ab'))
    expect(batchItemFailures.length).toBeGreaterThan(0)
    expect(delayed).toEqual([])
  })

  test('that SQS refuses is logged, and the message goes back all the same', async () => {
    const { invoke, log } = create({ changeVisibility: () => Promise.reject(new Error('AccessDenied')) })
    expect(await invoke(messages('abc'))).toEqual(failures('c'))
    expect(log.logged).toContain('visibility not changed')
  })
})

describe('settling', () => {
  const tokens = () =>
    createRateLimiter({
      limits: [{ name: 'tpm', capacity: 1000, refill_rate: 0.001 }],
      clock: createTestClock(),
      logger: silentLogger,
    })

  const left = async (limiter: ReturnType<typeof tokens>) =>
    (await limiter.check('x', { cost: {} })).limits[0]?.available

  const options = (limiter: ReturnType<typeof tokens>) => ({
    limiter,
    key: () => 'x',
    cost: { requests: 1, tokens: 100 },
    settle: async ({ json }: { json(): Promise<unknown> }) => {
      const used = await json()
      return typeof used === 'number' ? { tokens: used } : undefined
    },
  })

  test('uses what the handler of each message returned', async () => {
    const limiter = tokens()
    const handler = withRateLimit(
      options(limiter),
      perRecord(async ({ messageId }) => Number(messageId)),
    )
    expect(await handler(messages('123'), {})).toEqual(failures())
    expect(await left(limiter)).toBe(1000 - 6)
  })

  test('charges a failed message its request alone', async () => {
    const limiter = tokens()
    const { invoke } = create(untyped({ ...options(limiter), ...undefinedOptions }), () => failures('a'))
    await invoke(messages('ab'))
    expect(await left(limiter)).toBe(900)
  })

  test('charges requests alone if the handler throws, which is thrown', async () => {
    const limiter = tokens()
    const { invoke } = create(untyped({ ...options(limiter), ...undefinedOptions }), () => {
      throw new Error('no database')
    })
    await expect(invoke(messages('ab'))).rejects.toThrow('no database')
    expect(await left(limiter)).toBe(1000)
  })
})

/** A limiter has its own. */
const undefinedOptions = { limits: undefined }

describe('a message that a function of the app cannot read', () => {
  const cost = ({ native: { messageId } }: { readonly native: SqsRecord }) => {
    if (messageId === 'x') throw new Error('no JSON')
    return { requests: 1 }
  }

  test('goes back alone, and the others are handled', async () => {
    const { invoke, handled, delayed, log } = create({ cost })
    expect(await invoke(messages('axbc'))).toEqual(failures('x', 'c'))
    expect(handled).toEqual([['a', 'b']])
    expect(delayed).toEqual([[QUEUE, [{ receiptHandle: 'handle-c', seconds: 10 }]]])
    expect(log.logged).toContain('message failed')
  })

  test('holds back its group of a FIFO queue, and no other', async () => {
    const { invoke, handled } = create({ cost })
    const group = (ids: string, name: string) => [...ids].map((id) => sqsRecord(id, { group: name }))
    expect(await invoke(sqsEvent(...group('axb', 'g'), ...group('c', 'h')))).toEqual(failures('x', 'b'))
    expect(handled).toEqual([['a', 'c']])
  })

  test('is an error if the batch has no other', async () => {
    const { invoke, handled } = create({ cost })
    await expect(invoke(messages('xx'))).rejects.toThrow('no JSON')
    expect(handled).toEqual([])
  })
})

describe('perRecord()', () => {
  const run = (event: SqsEvent, failing: string, logger = silentLogger) => {
    const handled: string[] = []
    const handler = perRecord(
      async ({ messageId }) => {
        handled.push(messageId)
        if (failing.includes(messageId)) throw new Error(`no ${messageId}`)
      },
      { logger },
    )
    return handler(event, {}).then((response) => ({ response, handled }))
  }

  test('returns the messages whose handler throws, and logs them', async () => {
    const log = createReportsLog()
    const { response, handled } = await run(messages('abc'), 'b', log.options.logger)
    expect(response).toEqual(failures('b'))
    expect(handled).toEqual(['a', 'b', 'c'])
    expect(log.logged).toEqual(['message failed'])
  })

  test('stops a group of a FIFO queue at its first failure', async () => {
    const event = sqsEvent(
      ...['a', 'b', 'c'].map((id) => sqsRecord(id, { group: 'g' })),
      sqsRecord('d', { group: 'h' }),
    )
    const { response, handled } = await run(event, 'b')
    expect(response).toEqual(failures('b', 'c'))
    expect(handled.toSorted()).toEqual(['a', 'b', 'd'])
  })

  test('works in a limited function: what is denied is not handled', async () => {
    const handled: string[] = []
    const handler = withRateLimit(
      {
        limits: [{ name: 'rps', capacity: 2, refill_rate: 0.1 }],
        logger: silentLogger,
        changeVisibility: async () => {},
      },
      perRecord(async ({ messageId }) => void handled.push(messageId)),
    )
    expect(await handler(messages('abc'), {})).toEqual(failures('c'))
    expect(handled).toEqual(['a', 'b'])
  })

  test('requires a function', () => {
    expect(() => perRecord(untyped(undefined))).toThrow(/perRecord\(\) must get a function/)
  })
})

describe('a malformed event', () => {
  test.each([
    ['a record without an id', { ...sqsRecord('b'), messageId: undefined }],
    ['a record that is null', null],
  ])('with %s is rejected before anything is charged', async (_, record) => {
    const { invoke, handled } = create()
    await expect(invoke({ Records: [sqsRecord('a'), untyped(record)] })).rejects.toThrow(
      'Records[1].messageId must be a text',
    )
    expect(handled).toEqual([])
    expect(await invoke(messages('cd'))).toEqual(failures())
  })

  test('without a receipt handle goes back undelayed', async () => {
    const { invoke, delayed } = create()
    const record = untyped({ ...sqsRecord('c'), receiptHandle: 1 })
    expect(await invoke(sqsEvent(sqsRecord('a'), sqsRecord('b'), record))).toEqual(failures('c'))
    expect(delayed).toEqual([])
  })

  test.each([[undefined], [null], ['done'], [{ batchItemFailures: 'all' }]])(
    'a result of %j is no failure',
    async (result) => {
      const { invoke } = create({ store: memoryStore() }, () => result)
      expect(await invoke(messages('a'))).toEqual(failures())
    },
  )
})
