import { beforeEach, describe, expect, test } from 'vitest'
import type { Alert, AlertEvent } from '../../src/core/model/alert.ts'
import { StoreUnavailable } from '../../src/core/model/errors.ts'
import {
  type AlertEventStore,
  type AlertMessage,
  type AlertSender,
  DeliveryFailed,
} from '../../src/core/ports/alert-store.ts'
import { type Logger, type MetricName, silentLogger } from '../../src/core/ports/platform.ts'
import {
  ATTEMPT_LEASE_NS,
  createAlertDelivery,
  MAX_ATTEMPTS,
  RETRY_SECONDS,
} from '../../src/usage/alert-delivery.ts'
import { createTestClock, SECOND, START, type TestClock } from '../core/test-clock.ts'
import { anAlert, anAlertEvent, TOPIC } from '../store/store-fixtures.ts'
import { createMemoryAlertEventStore } from '../support/memory-alert-event-store.ts'

let clock: TestClock
let store: AlertEventStore
let sent: { readonly target: Alert['target']; readonly message: AlertMessage }[]
let lines: string[]
let counts: Map<MetricName, number>
let alert: Alert | undefined

beforeEach(() => {
  clock = createTestClock()
  store = createMemoryAlertEventStore()
  sent = []
  lines = []
  counts = new Map()
  alert = anAlert({ name: 'ops' })
})

const record =
  (level: string): Logger['info'] =>
  (message) =>
    void lines.push(`${level} ${message}`)

const deliveryOf = (send: AlertSender['send'] = async () => {}, events: AlertEventStore = store) =>
  createAlertDelivery({
    configured: async () => (alert === undefined ? [] : [alert]),
    alert: async () => alert,
    events,
    sender: {
      async send(target, message) {
        sent.push({ target, message })
        await send(target, message)
      },
    },
    clock,
    logger: { ...silentLogger, info: record('info'), warn: record('warn'), error: record('error') },
    metrics: { count: (name, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by) },
  })

const rejecting =
  (reason = 'the receiver responded with 500') =>
  async () => {
    throw new DeliveryFailed(reason)
  }

const raise = async (fields: Partial<AlertEvent> = {}): Promise<AlertEvent> => {
  const event = anAlertEvent({ dueAt: clock.now(), ...fields })
  await store.raise(event)
  return event
}

const stored = async (): Promise<AlertEvent | undefined> => (await store.listEvents({ limit: 1 })).items[0]

const WITHIN_MS = 20_000

describe('a message', () => {
  test('is sent to the target of the alert, once', async () => {
    const { id } = await raise()
    const { deliver } = deliveryOf()
    await deliver(WITHIN_MS)
    await deliver(WITHIN_MS)
    expect(sent.map(({ target, message }) => [target, message.id])).toEqual([[alert?.target, id]])
    expect(await stored()).toMatchObject({ state: 'delivered', attempts: 1, dueAt: null, endedAt: START })
    expect(lines).toEqual(['info alert delivered'])
    expect(counts).toEqual(new Map([['alerts_delivered', 1]]))
  })

  test('states what was reached, money in dollars', async () => {
    await raise({ id: 'alert_1', at: START + 123_000_000n, entityId: 'team-a' })
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent[0]?.message.subject).toBe('zael: team-a at 80 % of usd_month')
    expect(JSON.parse(sent[0]?.message.body ?? '')).toEqual({
      type: 'limit.share_reached',
      timestamp: '2026-01-01T00:00:00.123Z',
      text: 'team-a has reached 80 % of usd_month on _total_: $80.1 of $100',
      data: {
        alert: 'ops',
        entity_id: 'team-a',
        policy: null,
        resource: '_total_',
        limit_name: 'usd_month',
        meter: 'cost_usd_micros',
        share: 0.8,
        used_share: 0.801,
        used: 80_100_000,
        capacity: 100_000_000,
        used_usd: 80.1,
        capacity_usd: 100,
        window_start: 1_790_000_000,
        window_end: 1_792_592_000,
      },
    })
  })

  test('names a policy, the meter, and a limit that denies', async () => {
    const policy = { scope: 'USER_MODEL', selector: 'ann#gpt-4o' } as const
    await raise({
      entityId: null,
      policy,
      limitName: 'itpm',
      meter: 'input_tokens',
      share: 1,
      used: 95,
      capacity: 100,
    })
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent[0]?.message.subject).toBe('zael: policy USER_MODEL/ann/gpt-4o at 100 % of itpm')
    const { text, data } = JSON.parse(sent[0]?.message.body ?? '')
    expect(text).toBe(
      'policy USER_MODEL/ann/gpt-4o has reached 100 % of itpm on _total_: 95 of 100 input tokens, and requests are denied',
    )
    expect(data).not.toHaveProperty('used_usd')
  })

  test('has a subject that SNS accepts, however long the names are', async () => {
    await raise({ entityId: 'e'.repeat(128) })
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent[0]?.message.subject).toHaveLength(100)
  })
})

describe('a message that is not accepted', () => {
  test('is sent five times, with growing waits, and then fails', async () => {
    await raise()
    const { deliver } = deliveryOf(rejecting())
    for (const [index, seconds] of RETRY_SECONDS.entries()) {
      await deliver(WITHIN_MS)
      const dueAt = clock.now() + BigInt(seconds) * SECOND
      expect(await stored()).toMatchObject({
        state: 'pending',
        attempts: index + 1,
        dueAt,
        reason: 'the receiver responded with 500',
      })
      clock.advance(BigInt(seconds) * SECOND - 1n)
      await deliver(WITHIN_MS)
      expect(sent).toHaveLength(index + 1)
      clock.advance(1n)
    }
    await deliver(WITHIN_MS)
    expect(await stored()).toMatchObject({
      state: 'failed',
      attempts: MAX_ATTEMPTS,
      dueAt: null,
      reason: 'the receiver responded with 500',
      endedAt: clock.now(),
    })
    clock.advance(100n * 3600n * SECOND)
    await deliver(WITHIN_MS)
    expect(sent).toHaveLength(MAX_ATTEMPTS)
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(1)
    expect(lines).toEqual([
      ...RETRY_SECONDS.map(() => 'warn alert not accepted: it will be sent again'),
      'error alert not delivered',
    ])
    expect(counts).toEqual(
      new Map([
        ['alert_attempts_failed', 5],
        ['alerts_failed', 1],
      ]),
    )
  })

  test('is sent to the new target after the alert was corrected', async () => {
    await raise()
    await deliveryOf(rejecting()).deliver(WITHIN_MS)
    const target = { kind: 'sns', topicArn: TOPIC } as const
    alert = anAlert({ name: 'ops', target })
    clock.advance(10n * SECOND)
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent.at(-1)?.target).toEqual(target)
    expect(await stored()).toMatchObject({ state: 'delivered', attempts: 2, reason: null })
  })

  test('because of a defect counts as an attempt, and the log contains the error', async () => {
    await raise()
    const { deliver } = deliveryOf(async () => {
      throw new TypeError('x is not a function')
    })
    await deliver(WITHIN_MS)
    expect(await stored()).toMatchObject({
      state: 'pending',
      attempts: 1,
      reason: 'zael could not send it: see its log',
    })
    expect(lines[0]).toBe('error alert not sent: a defect of zael')
  })
})

describe('an attempt', () => {
  test('that runs belongs to one process; if that ends, another makes the next one', async () => {
    await raise()
    let finish: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const running = deliveryOf(() => held).deliver(WITHIN_MS)
    await expect.poll(() => sent.length).toBe(1)
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent).toHaveLength(1)

    clock.advance(ATTEMPT_LEASE_NS)
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent).toHaveLength(2)
    expect(await stored()).toMatchObject({ state: 'delivered', attempts: 2 })
    // the first process was only slow: its result changes nothing
    finish?.()
    await running
    expect(await stored()).toMatchObject({ state: 'delivered', attempts: 2 })
    expect(counts.get('alerts_delivered')).toBe(1)
  })

  test('whose process ended was the last one: the event fails', async () => {
    await raise({ attempts: MAX_ATTEMPTS })
    await deliveryOf().deliver(WITHIN_MS)
    expect(sent).toEqual([])
    expect(await stored()).toMatchObject({
      state: 'failed',
      reason: 'the process ended during the last attempt',
    })
  })

  test('does not begin after the given time', async () => {
    for (let n = 0; n < 20; n += 1) await raise()
    const { deliver } = deliveryOf(async () => clock.advance(10n * SECOND))
    await deliver(WITHIN_MS)
    // eight at once, each of which moves the clock
    expect(sent).toHaveLength(8)
    const pending = await store.pending(100)
    expect(pending).toHaveLength(12)
    expect(pending.every(({ attempts }) => attempts === 0)).toBe(true)
  })

  test('whose result could not be written does not stop the others', async () => {
    for (let n = 0; n < 3; n += 1) await raise()
    let failures = 1
    const events: AlertEventStore = {
      ...store,
      async update(event, next) {
        if (next.state === 'delivered' && failures-- > 0)
          throw new StoreUnavailable('away', { mayHaveApplied: false })
        return store.update(event, next)
      },
    }
    await deliveryOf(undefined, events).deliver(WITHIN_MS)
    expect(await store.pending(10)).toHaveLength(1)
    expect(lines).toContain('warn alerts not delivered: they will be tried again')
  })
})

test('the events of a removed alert fail', async () => {
  await raise()
  const { deliver } = createDeliveryOfRemoved()
  await deliver(WITHIN_MS)
  expect(sent).toEqual([])
  expect(await stored()).toMatchObject({ state: 'failed', attempts: 0, reason: 'the alert was removed' })
})

/** Another alert is configured, or one whose removal this process has not read yet. */
const createDeliveryOfRemoved = () =>
  createAlertDelivery({
    configured: async () => [anAlert({ name: 'other' })],
    alert: async () => undefined,
    events: store,
    sender: { send: rejecting() },
    clock,
    logger: silentLogger,
    metrics: { count() {} },
  })

test('nothing is read while no alert is configured', async () => {
  alert = undefined
  const events: AlertEventStore = {
    ...store,
    pending: () => {
      throw new Error('must not be read')
    },
  }
  await deliveryOf(undefined, events).deliver(WITHIN_MS)
  expect(lines).toEqual([])
})

test('a store that cannot be read is logged, and tried again', async () => {
  await raise()
  const away: AlertEventStore = {
    ...store,
    pending: async () => {
      throw new StoreUnavailable('away', { mayHaveApplied: false })
    },
  }
  await deliveryOf(undefined, away).deliver(WITHIN_MS)
  expect(lines).toEqual(['warn alerts not delivered: they will be tried again'])
  await deliveryOf().deliver(WITHIN_MS)
  expect(sent).toHaveLength(1)
})
