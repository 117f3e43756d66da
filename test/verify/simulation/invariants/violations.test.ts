import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { changesOf, planted } from '../../../../verify/simulation/faults/bundled.ts'
import { hunt } from '../../../../verify/simulation/faults/hunt.ts'
import { PLANTED_FAULTS } from '../../../../verify/simulation/faults/planted-faults.ts'
import { alwaysResponds } from '../../../../verify/simulation/invariants/always-responds.ts'
import { asConfigured } from '../../../../verify/simulation/invariants/as-configured.ts'
import { chargedFirst, nothingLeftOver } from '../../../../verify/simulation/invariants/charged-first.ts'
import { inOrder } from '../../../../verify/simulation/invariants/in-order.ts'
import { neverOver } from '../../../../verify/simulation/invariants/never-over.ts'
import { onTime } from '../../../../verify/simulation/invariants/on-time.ts'
import { usedUp } from '../../../../verify/simulation/invariants/used-up.ts'
import type { LoggedRequest, RunLog } from '../../../../verify/simulation/run-log.ts'
import { type PlannedLimit, TRANSITION_NS } from '../../../../verify/simulation/schedule/schedule.ts'

const SECOND = 1e9
const CALM = { meanDelayNs: 1, slow: 0, lostBefore: 0, lostAfter: 0, throttled: 0 }

interface Given {
  readonly size: PlannedLimit['size']
  readonly leaseTtlMs?: number
  readonly kind?: 'bursts' | 'steady'
  /** Seconds, tokens. */
  readonly admitted: readonly (readonly [at: number, tokens: number])[]
  readonly charged?: readonly (readonly [at: number, amount: number])[]
}

const logOf = ({ size, leaseTtlMs = 0, kind = 'bursts', admitted, charged = [] }: Given): RunLog => ({
  schedule: {
    seed: 1,
    kind,
    durationNs: 10 * SECOND,
    startNs: 0n,
    aheadNs: [0],
    tickNs: 1,
    leaseTtlMs,
    isLambda: false,
    entities: [
      { id: 'key', parentId: null, limits: [{ name: 'tpm', meter: 'tokens', size, refund: 'full' }] },
    ],
    policies: [],
    changes: [],
    network: CALM,
    requests: [],
    faults: [],
  },
  requests: admitted.map(([at, tokens]) => request(at, tokens)),
  instances: [{ node: 0, hasCrashed: false, aheadNs: [0, 0] }],
  resets: [],
  writes: charged.map(([at, amount]) => ({
    atNs: at * SECOND,
    sentNs: at * SECOND,
    by: 0,
    entityId: 'key',
    end: { isReceived: true },
    changes: [{ limit: 'tpm', amount, version: 1, text: textOf(size) }],
    resized: [],
    used: {},
    states: {},
    windows: {},
    isReset: false,
  })),
  lostRefunds: 0,
  errors: [],
})

/** As the table states sizes. */
const textOf = (size: PlannedLimit['size']): string => {
  if (size.kind === 'bucket') return `token_bucket ${size.capacity} per ${size.fillsInSeconds}s`
  if (size.kind === 'minute') return `fixed_window ${size.limit} per minute UTC`
  if (size.kind === 'run') return `fixed_window ${size.limit} per ${size.seconds}s from first use`
  return `sliding_window ${size.limit} per ${size.seconds}s in ${size.slots} slots`
}

const request = (at: number, tokens: number): LoggedRequest => ({
  requestedNs: at * SECOND,
  entityId: 'key',
  tokens,
  settles: false,
  node: 0,
  by: 0,
  frozenNs: 0,
  response: { atNs: at * SECOND, isAllowed: true, isDegraded: false, frozenNs: 0 },
})

/** One token per second, at most ten. */
const bucket = { kind: 'bucket', capacity: 10, fillsInSeconds: 10 } as const
const window = { kind: 'sliding', limit: 10, seconds: 5, slots: 10 } as const
const minute = { kind: 'minute', limit: 10 } as const

/** Admits ten tokens of a bucket that hardly refills; after five seconds its limit has another size. */
const changedLog = (size: PlannedLimit['size'], late: number): RunLog => {
  const log = logOf({
    size: { kind: 'bucket', capacity: 10, fillsInSeconds: 10_000 },
    admitted: [
      [1, 10],
      [6, late],
    ],
  })
  const limits = [{ name: 'tpm', meter: 'tokens', size, refund: 'strict' } as const]
  const [write] = logOf({ size, admitted: [], charged: [[5, 0]] }).writes
  return {
    ...log,
    schedule: { ...log.schedule, changes: [{ atNs: 4 * SECOND, node: null, of: 'key', limits }] },
    writes: write
      ? [{ ...write, changes: [], resized: [{ limit: 'tpm', version: 2, text: textOf(size) }] }]
      : [],
  }
}

/**
 * Six of ten tokens of a window of 100 s are in use when its length changes, after five seconds: to `seconds`, from `begun` or
 * else from its start on. Then `late` tokens are admitted, some of which begin a window.
 */
const changedRunLog = (
  seconds: number,
  begun: number | undefined,
  late: readonly (readonly [at: number, tokens: number, begins?: number])[],
): RunLog => {
  const size = { kind: 'run', limit: 10, seconds: 100 } as const
  const changed = { ...size, seconds }
  const log = logOf({ size, admitted: [[2, 6], ...late.map(([at, tokens]) => [at, tokens] as const)] })
  const written = (at: number, of: PlannedLimit['size'], begins: number | undefined, n: number) =>
    logOf({ size: of, admitted: [], charged: [[at, 0]] }).writes.map((write) => ({
      ...write,
      changes: [],
      states: { tpm: BigInt(n) },
      windows: begins === undefined ? {} : { tpm: BigInt(begins * SECOND) },
    }))
  const resized = [{ limit: 'tpm', version: 2, text: textOf(changed) }]
  const limits = [{ name: 'tpm', meter: 'tokens', size: changed, refund: 'strict' } as const]
  return {
    ...log,
    schedule: { ...log.schedule, changes: [{ atNs: 4 * SECOND, node: null, of: 'key', limits }] },
    writes: [
      ...written(1, size, 1, 6),
      ...written(5, changed, begun, 6).map((write) => ({ ...write, resized })),
      ...late.flatMap(([at, tokens, begins]) =>
        begins === undefined ? [] : written(at, changed, begins, tokens),
      ),
    ],
  }
}

/** A limit with another size from the third second on. */
const scheduledLog = (given: Pick<Given, 'admitted' | 'charged'>): RunLog => {
  const log = logOf({ size: minute, ...given })
  const scheduled = { when: 'after', factor: 2 } as const
  const entities = log.schedule.entities.map((entity) => ({
    ...entity,
    limits: entity.limits.map((limit) => ({ ...limit, scheduled })),
  }))
  return { ...log, schedule: { ...log.schedule, entities, startNs: TRANSITION_NS - BigInt(3 * SECOND) } }
}

const DENIED = { atNs: SECOND, isAllowed: false, isDegraded: false, frozenNs: 0 }

/** Admits `tokens` of a limit of ten without the table; `fields` changes the limit. */
const withoutTable = (fields: Partial<PlannedLimit>, tokens: number): RunLog => {
  const log = logOf({
    size: { kind: 'bucket', capacity: 10, fillsInSeconds: 10_000 },
    admitted: [[1, tokens]],
  })
  const entities = log.schedule.entities.map((entity) => ({
    ...entity,
    limits: entity.limits.map((limit) => ({ ...limit, ...fields })),
  }))
  const requests = log.requests.map((each) => ({
    ...each,
    response: { ...DENIED, isAllowed: true, isDegraded: true },
  }))
  return { ...log, requests, schedule: { ...log.schedule, entities } }
}

describe('the checks of a simulation find', () => {
  test.each([
    ['a larger token bucket', { kind: 'bucket', capacity: 12, fillsInSeconds: 12_000 }, 2],
    ['a window', { kind: 'sliding', limit: 12, seconds: 10, slots: 5 }, 2],
    ['a minute', { kind: 'minute', limit: 12 }, 2],
  ] as const)('an excess of one after a limit changes to %s', (_, size, within) => {
    expect(neverOver(changedLog(size, within + 1))).toHaveLength(1)
    expect(neverOver(changedLog(size, within))).toEqual([])
  })

  test.each([
    ['that it begins', 2, 5, 6.9],
    ['that has lasted less', 8, undefined, 8.9],
    ['that lasts longer', 200, undefined, 150],
  ] as const)('an excess of one in the window of another length %s', (_, seconds, begun, at) => {
    expect(neverOver(changedRunLog(seconds, begun, [[at, 5]]))).toHaveLength(1)
    expect(neverOver(changedRunLog(seconds, begun, [[at, 4]]))).toEqual([])
  })

  test.each([
    ['that it begins', 2, 5, 7],
    ['that has lasted less', 8, undefined, 9],
  ] as const)('nothing in a window after the one of another length %s', (_, seconds, begun, next) => {
    expect(neverOver(changedRunLog(seconds, begun, [[next + 0.1, 10, next]]))).toEqual([])
    const over = changedRunLog(seconds, begun, [
      [next + 0.1, 10, next],
      [next + 1, 1],
    ])
    expect(neverOver(over)).toHaveLength(1)
  })

  test.each([
    ['deny', {}, 1],
    ['allow', { onUnavailable: 'allow' }, 0],
    ['local, within its share', { onUnavailable: 'local' }, 0],
  ] as const)('requests admitted without the table, by on_unavailable %s', (_, fields, wrongs) => {
    expect(asConfigured(withoutTable(fields, 1))).toHaveLength(wrongs)
  })

  test('more than a tenth of a limit admitted without the table', () => {
    expect(asConfigured(withoutTable({ onUnavailable: 'local' }, 3)).join()).toMatch(
      /without the table.*over/,
    )
  })

  test('limits in warn mode that deny', () => {
    const deniedBy = [{ entityId: 'key', limit: 'tpm' }]
    const log = withoutTable({ mode: 'warn' }, 1)
    const requests = log.requests.map((each) => ({ ...each, response: { ...DENIED, deniedBy } }))
    expect(asConfigured(log)).toEqual([])
    expect(asConfigured({ ...log, requests }).join()).toMatch(
      /denied, although limits only warn.*tpm of key, which only warns/,
    )
  })

  test('a return to an earlier version of a limit within a generation', () => {
    const log = changedLog(bucket, 1)
    const [write] = log.writes
    if (write === undefined) throw new Error('there is no write')
    const back = { ...write, resized: [{ limit: 'tpm', version: 1, text: textOf(bucket) }] }
    expect(inOrder({ ...log, writes: [write, back] })).toHaveLength(1)
    expect(inOrder({ ...log, writes: [write, { ...write, resized: [], isReset: true }, back] })).toEqual([])
  })

  test('use after a transition that was charged before it', () => {
    const late = scheduledLog({ admitted: [[4, 5]], charged: [[2, 5]] })
    expect(onTime(late).join()).toMatch(/5 used after the transition, 0 charged/)
    expect(onTime(scheduledLog({ admitted: [[2, 5]], charged: [[2, 5]] }))).toEqual([])
    expect(onTime(scheduledLog({ admitted: [[4, 5]], charged: [[4, 5]] }))).toEqual([])
  })

  test('refunds after a transition of what was charged before it', () => {
    const charged = [
      [2, 5],
      [4, -3],
    ] as const
    expect(onTime(scheduledLog({ admitted: [], charged })).join()).toMatch(/more refunded than charged/)
    expect(onTime(scheduledLog({ admitted: [], charged: [[3.5, 3], ...charged] }))).toEqual([])
    const within = [
      [1, 5],
      [2, -3],
    ] as const
    expect(onTime(scheduledLog({ admitted: [], charged: within }))).toEqual([])
  })

  test.each([
    [
      'a token bucket',
      bucket,
      [
        [0, 10],
        [4, 5],
      ],
      [
        [0, 10],
        [4, 4],
      ],
    ],
    [
      'a sliding window',
      window,
      [
        [0, 6],
        [4.9, 5],
      ],
      [
        [0, 6],
        [5, 5],
      ],
    ],
    [
      'a minute',
      minute,
      [
        [1, 6],
        [59, 5],
      ],
      [
        [59, 6],
        [60.5, 5],
      ],
    ],
  ] as const)('an excess of one by %s, and nothing at its bound', (_, size, over, within) => {
    expect(neverOver(logOf({ size, admitted: over }))).toHaveLength(1)
    expect(neverOver(logOf({ size, admitted: within }))).toEqual([])
  })

  test('an excess beyond the lifetime of leases', () => {
    const admitted = [
      [0, 10],
      [4, 5],
    ] as const
    expect(neverOver(logOf({ size: bucket, leaseTtlMs: 1000, admitted }))).toEqual([])
    expect(neverOver(logOf({ size: bucket, leaseTtlMs: 990, admitted }))).toHaveLength(1)
  })

  test('requests admitted before they are charged', () => {
    const admitted = [[1, 5]] as const
    const [enough, late, less] = [
      [[1, 5]],
      [[2, 5]],
      [
        [0, 6],
        [0.5, -2],
      ],
    ] as const
    expect(chargedFirst(logOf({ size: minute, admitted, charged: enough }))).toEqual([])
    expect(chargedFirst(logOf({ size: minute, admitted, charged: late }))).toHaveLength(1)
    expect(chargedFirst(logOf({ size: minute, admitted, charged: less }))).toHaveLength(1)
  })

  test('charges that remain, and use that is not counted', () => {
    const given = { size: minute, admitted: [[1, 5]], charged: [[1, 6]] } as const
    expect(nothingLeftOver(logOf(given)).join()).toMatch(/6 charged in the end, 5 used.*0 tokens counted/)
  })

  test('limits that are not used up', () => {
    const given = { size: bucket, kind: 'steady' as const }
    expect(usedUp(logOf({ ...given, admitted: [[1, 19.5]] }))).toHaveLength(1)
    expect(usedUp(logOf({ ...given, admitted: [[1, 19.7]] }))).toEqual([])
  })

  test('requests without a response, or with a late one, unless their node has crashed', () => {
    const log = logOf({ size: bucket, admitted: [] })
    const { response: _, ...waiting } = request(0, 1)
    const late = {
      ...request(0, 1),
      response: { atNs: 3 * SECOND, isAllowed: true, isDegraded: false, frozenNs: 0 },
    }
    expect(alwaysResponds({ ...log, requests: [waiting, late] })).toHaveLength(2)
    const instances = [{ node: 0, hasCrashed: true, aheadNs: [0, 0] as const }]
    expect(alwaysResponds({ ...log, instances, requests: [waiting] })).toEqual([])
  })
})

const named = (part: string) => {
  const fault = PLANTED_FAULTS.find(({ name }) => name.includes(part))
  if (!fault) throw new Error(`no fault is named so: ${part}`)
  return fault
}

describe('planted faults', () => {
  test.each(PLANTED_FAULTS)('can be planted: $name', (fault) => {
    for (const change of changesOf(fault)) {
      const source = readFileSync(change.file, 'utf8')
      expect(planted(fault.name, change, source)).not.toBe(source)
    }
  })

  test('are not planted if the text to replace has changed', () => {
    expect(() => planted('a', { file: 'b', from: 'c', to: 'd' }, 'c and c')).toThrow('occurs 2 times')
  })

  // the faults that a few seeds find; `npm run verify`, which .ci/run calls, hunts all of them
  test.each([
    ['refunds are applied twice', 'charged first'],
    ['leases are not charged', 'charged first'],
    ['waits forever', 'always responds'],
    ['policies are not charged', 'charged first'],
    ['from before a transition', 'on time'],
    ['outlive a transition', 'charged first'],
  ])('are found: %s', async (part, invariant) => {
    const { seed, invariants } = await hunt(named(part), 400)
    expect(seed).toBeLessThanOrEqual(400)
    expect(invariants).toContain(invariant)
  })
})
