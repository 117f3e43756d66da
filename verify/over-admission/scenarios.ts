import type { Cost } from '../../src/core/model/meter.ts'
import type { Load, Scenario, Watched } from './scenario.ts'

const SLOTS = 30
/** The time in which a bucket fills: much longer than a call waits on a busy machine. */
const FILLS_IN_SECONDS = 20

/** A limit in the API's format, with the bound that it guarantees. */
interface Sized {
  readonly json: object
  readonly watched: Watched
}

const tokenBucket = (name: string, capacity: number): Sized => {
  const perSecond = Math.ceil(capacity / FILLS_IN_SECONDS)
  return {
    json: { name, meter: meterOf(name), capacity, refill_rate: perSecond },
    watched: {
      limit: `${name}: ${capacity}, ${perSecond} more per second`,
      meter: meterOf(name),
      bound: { kind: 'span', capacity, perSecond },
    },
  }
}

const slidingWindow = (name: string, limit: number, seconds = 1): Sized => ({
  json: {
    name,
    meter: meterOf(name),
    algorithm: 'sliding_window',
    limit,
    window_seconds: seconds,
    slots: SLOTS,
  },
  watched: {
    limit: `${name}: ${limit} in any ${seconds} s, ${SLOTS} slots`,
    meter: meterOf(name),
    bound: { kind: 'window', limit, seconds },
  },
})

const fixedWindow = (name: string, limit: number): Sized => ({
  json: { name, meter: meterOf(name), algorithm: 'fixed_window', limit, window: 'minute' },
  watched: {
    limit: `${name}: ${limit} per minute of the clock`,
    meter: meterOf(name),
    bound: { kind: 'minute', limit },
  },
})

/** Names of token limits start with `t`. */
const meterOf = (name: string) => (name.startsWith('t') ? 'tokens' : 'requests')

/** The request of a scenario in which one entity sends one request at a time. */
const alone = (name: string, load: Load, limits: readonly Sized[]): Scenario => {
  const entityId = name.replaceAll(/[^a-z_]/g, '-')
  return {
    name,
    load,
    watched: limits.map(({ watched }) => watched),
    prepare: (table) =>
      table.addLimited(
        entityId,
        limits.map(({ json }) => json),
      ),
    entityIds: [entityId],
    request: () => ({ entityId, cost: { requests: 1 } }),
  }
}

const FAMILY = 8
const family = (word: string): readonly string[] =>
  Array.from({ length: FAMILY }, (_, index) => `${word}-${index}`)

const ofTurn = (ids: readonly string[], index: number): string => ids[index % ids.length] ?? ''

const twoLevels = (load: Load, own: Sized, parents: Sized): Scenario => {
  const entityIds = family('child')
  return {
    name: 'two levels',
    load,
    watched: [parents.watched, { ...own.watched, isPerEntity: true }],
    async prepare(table) {
      await table.addLimited('parent', [parents.json])
      for (const id of entityIds) await table.addLimited(id, [own.json], 'parent')
    },
    entityIds,
    request: (index) => ({ entityId: ofTurn(entityIds, index), cost: { requests: 1 } }),
  }
}

const policy = (load: Load, own: Sized, shared: Sized): Scenario => {
  const entityIds = family('employee')
  return {
    name: 'policy',
    load,
    watched: [shared.watched, { ...own.watched, isPerEntity: true }],
    async prepare(table) {
      await table.addPolicy({ scope: 'TENANT', selector: 'company' }, [shared.json])
      for (const id of entityIds) await table.addLimited(id, [own.json])
    },
    entityIds,
    request: (index) => ({
      entityId: ofTurn(entityIds, index),
      cost: { requests: 1 },
      context: { tenant: 'company' },
    }),
  }
}

const RESERVED_TOKENS = 100

/** Of three settlements, one uses half as much again as it reserved, one uses a part of it, and one uses nothing. */
const upAndDown = (cost: Cost, index: number): Cost => {
  const shares = [1.5, (index % 10) / 10, 0]
  return { ...cost, tokens: Math.floor(RESERVED_TOKENS * (shares[index % shares.length] ?? 1)) }
}

const settled = (load: Load, limits: readonly Sized[]): Scenario => ({
  ...alone('settled up and down', load, limits),
  request: () => ({
    entityId: 'settled-up-and-down',
    cost: { requests: 1, tokens: RESERVED_TOKENS },
  }),
  used: upAndDown,
})

/**
 * The scenarios of the over-admission table, with limits that the callers exceed many times. If a decision takes several
 * writes, only a quarter of the callers send requests; a few callers fill window after window.
 */
export const overAdmissionScenarios = (load: Load): readonly Scenario[] => {
  const fewer = { ...load, callers: Math.ceil(load.callers / 4) }
  const few = {
    nodes: Math.min(2, load.nodes),
    callers: Math.min(2, load.callers),
    seconds: 2 * load.seconds,
  }
  const most = sizesFor(load)
  const some = sizesFor(fewer)
  return [
    alone('token_bucket', load, [tokenBucket('rps', most(1 / 4))]),
    alone('sliding_window', load, [slidingWindow('rps', most(1 / 8))]),
    alone('fixed_window', load, [fixedWindow('rpm', most(1 / 4))]),
    alone('sliding_window, few callers', few, [slidingWindow('rps', 4)]),
    { ...alone('fixed_window, few callers', few, [fixedWindow('rpm', 20)]), isMinuteCut: true },
    alone('all three in one bucket', fewer, [
      tokenBucket('rps', some(1 / 4)),
      slidingWindow('rph', some(1 / 6)),
      fixedWindow('rpm', some(1 / 3)),
    ]),
    twoLevels(fewer, tokenBucket('rps', some(1 / 20)), slidingWindow('rps', some(1 / 8))),
    policy(fewer, fixedWindow('rpm', some(1 / 12)), tokenBucket('rps', some(1 / 4))),
    settled(fewer, [
      tokenBucket('tps', some(1 / 4) * RESERVED_TOKENS),
      slidingWindow('tph', some(1 / 5) * RESERVED_TOKENS, 10),
      fixedWindow('tpm', some(1 / 2) * RESERVED_TOKENS),
    ]),
  ]
}

/** A share of all callers, at least 4. */
const sizesFor =
  ({ nodes, callers }: Load) =>
  (share: number): number =>
    Math.max(4, Math.ceil(nodes * callers * share))
