import { type ConcurrencySize, MAX_SLOT_SECONDS } from '../model/limit.ts'
import type { Slot } from '../model/meter.ts'
import { larger, MS_NS, roundedUp, SECOND_NS } from '../model/time.ts'
import type {
  Algorithm,
  AlgorithmDefinition,
  LimitFields,
  LimitWrite,
  Refund,
  RefundBasis,
} from './algorithm.ts'
import { atLeast, below, between, type Condition, equal, missing, remove, set, sizeAtMost } from './write.ts'

const MILLION = 1_000_000n

/** A released slot may come at any time, so the wait of a denial is unknown. Clients try again after this time. */
const RETRY_NS = SECOND_NS

/** Expired slots that one write names, and live ones that a limit that only warns names: an expression has at most 4 KB. */
const MAX_REMOVALS = 16

const MAX_NAMED = 48

/** A reservation ends with a whole second. */
const LONGEST_NS = BigInt(MAX_SLOT_SECONDS + 1) * SECOND_NS

/**
 * At most `limit` requests in flight. `slots` maps the id of each request's slot to its expiry. A charge adds slots, a refund
 * removes them; a slot that is never released expires, and the next charge removes it.
 *
 * A charge requires that the map has at most `limit` entries after it. DynamoDB evaluates conditions before it removes anything,
 * so the number of entries is compared with `limit` plus the number of removed slots, and each of these must still be there, with
 * the expiry that made it removable: one that another node has removed already would be counted twice. So the map never has
 * more than `limit` entries, whatever a node has cached, unless the limit was lowered in the meantime.
 */
const createConcurrency = ({ limit, leaseSeconds }: Omit<ConcurrencySize, 'algorithm'>): Algorithm => {
  const leaseNs = BigInt(leaseSeconds) * SECOND_NS
  return {
    name: 'concurrency',
    text: `concurrency ${limit} with slots of ${leaseSeconds}s`,
    capacity: limit,
    windowNs: leaseNs,
    retryNs: RETRY_NS,
    ...readings(limit),
    ...charges(leaseNs),
    ...corrections(),
    fullAt: (fields, _, now) => lastExpiry(fields, now),
    latestFullAt: (now) => now + LONGEST_NS,
  }
}

/** Expiries are rounded up to whole milliseconds, which take half the bytes. */
const nextMs = (ns: bigint): bigint => roundedUp(ns, MS_NS) * MS_NS

type Entry = readonly [id: string, expiry: bigint]

const entries = ({ slots }: LimitFields): readonly Entry[] =>
  typeof slots === 'object' ? Object.entries(slots) : []

const liveIn = (fields: LimitFields, now: bigint): readonly Entry[] =>
  entries(fields).filter(([, expiry]) => expiry > now)

const expiredIn = (fields: LimitFields, now: bigint): readonly Entry[] =>
  entries(fields).filter(([, expiry]) => expiry <= now)

/** When the last slot expires; `now` if none is live. */
const lastExpiry = (fields: LimitFields, now: bigint): bigint =>
  entries(fields).reduce((latest, [, expiry]) => larger(latest, expiry), now)

const readings = (limit: number): Pick<Algorithm, 'level' | 'wait' | 'usedMillionths' | 'uses'> => {
  const usedMillionths: Algorithm['usedMillionths'] = (fields, now) =>
    BigInt(liveIn(fields, now).length) * MILLION
  return {
    usedMillionths,

    level(fields, now) {
      const live = liveIn(fields, now)
      return { available: Math.max(0, limit - live.length), resetNs: lastExpiry(fields, now) - now }
    },

    /** Until so many slots have expired; if one is released, it passes earlier. */
    wait(fields, cost, now, bound, slots = []) {
      const live = liveIn(fields, now)
      const excess = live.length - held(fields, slots).length + cost - bound
      if (excess <= 0) return 0n
      const byExpiry = live.map(([, expiry]) => expiry).toSorted((a, b) => (a < b ? -1 : 1))
      return (byExpiry[excess - 1] ?? now + RETRY_NS) - now
    },

    uses: (fields, now) => [{ since: now, until: now, millionths: usedMillionths(fields, now) }],
  }
}

/** The slots that the request has already: the response to its write was lost, and the write is repeated. */
const held = (fields: LimitFields, slots: readonly Slot[]): readonly Entry[] =>
  slots.length === 0 ? [] : entries(fields).filter(([id]) => slots.some((slot) => slot.id === id))

const charges = (leaseNs: bigint): Pick<Algorithm, 'charge' | 'exceeded' | 'debit'> => ({
  charge(snapshot = {}, cost, now, bound, slots = []) {
    const taken = slots.map(({ id, until = now + leaseNs }): Entry => [id, nextMs(until)])
    if (typeof snapshot.slots !== 'object')
      return {
        conditions: [missing('slots')],
        actions: taken.length > 0 ? [set('slots', Object.fromEntries(taken))] : [],
      }
    const mine = held(snapshot, slots)
    const others = expiredIn(snapshot, now).filter((entry) => !mine.some(([id]) => id === entry[0]))
    const room = bound - cost + mine.length
    const excess = entries(snapshot).length - room
    if (excess > MAX_REMOVALS) return replacing(snapshot, taken, others, room)
    const removed = others.slice(0, MAX_REMOVALS)
    return {
      conditions: [fitsBeside(removed, room), ...[...mine, ...removed].map(isUnchanged)],
      actions: [
        ...taken.map(([id, expiry]) => set(['slots', id], expiry)),
        ...removed.map(([id]) => remove(['slots', id])),
      ],
    }
  },

  /** Names as many live slots as leave no room for `cost`. */
  exceeded(snapshot = {}, cost, now, bound) {
    const least = bound - cost + 1
    if (least <= 0) return { conditions: [], actions: [] }
    const live = liveIn(snapshot, now).slice(0, least)
    // too many to be named, or too few: nothing else is known to be there
    const requiresSnapshot = least > MAX_NAMED
    if (requiresSnapshot && live.length === least) return { conditions: [], actions: [], requiresSnapshot }
    const isThere = live.map(([id]) => atLeast(['slots', id], now + 1n))
    const never = live.length < least ? [between('slots', 0n, 0n)] : []
    return { conditions: [...isThere, ...never], actions: [] }
  },

  debit: () => ({ conditions: [], actions: [] }),
})

/** Whether all slots beside `removed` are at most `room`. */
const fitsBeside = (removed: readonly Entry[], room: number): Condition =>
  sizeAtMost('slots', BigInt(room + removed.length))

const isUnchanged = ([id, expiry]: Entry): Condition => equal(['slots', id], expiry)

/** A limit was lowered, and more slots have expired since than one expression can name. */
const replacing = (
  snapshot: LimitFields,
  taken: readonly Entry[],
  gone: readonly Entry[],
  room: number,
): LimitWrite => {
  const goneIds = new Set(gone.map(([id]) => id))
  const kept = entries(snapshot).filter(([id]) => !goneIds.has(id))
  return {
    conditions: [fitsBeside(gone, room)],
    actions: [set('slots', Object.fromEntries([...kept, ...taken]))],
    requiresSnapshot: true,
  }
}

const corrections = (): Pick<Algorithm, 'refundBasis' | 'refund' | 'topUp' | 'carryOver'> => ({
  refundBasis: (_fields, _now, slots = []) =>
    Object.fromEntries(slots.slice(0, 1).map(({ id }) => ['slot', id])),

  refund: (snapshot, { basis }: Refund) =>
    slotExpiry(snapshot, basis) === undefined ? undefined : releaseSlot(basis),

  /** Slots belong to requests in flight: only these, or a reset, free them. */
  topUp: () => undefined,

  carryOver: (previous, { slots }, now) => ({
    slots:
      previous.name === 'concurrency' && typeof slots === 'object'
        ? Object.fromEntries(liveIn({ slots }, now))
        : {},
  }),
})

/** When the slot of a charge expires, ns since the epoch; undefined if the map does not contain it. */
export const slotExpiry = ({ slots }: LimitFields, { slot }: RefundBasis): bigint | undefined =>
  typeof slots === 'object' && typeof slot === 'string' ? slots[slot] : undefined

/** Lets the slot of a charge expire at `until`, if it is there and expires earlier. Undefined if the charge took none. */
export const renewSlot = ({ slot }: RefundBasis, until: bigint): LimitWrite | undefined =>
  typeof slot === 'string'
    ? { conditions: [below(['slots', slot], until)], actions: [set(['slots', slot], until)] }
    : undefined

/** Removes the slot of a charge, if it is there. Undefined if the charge took none. */
export const releaseSlot = ({ slot }: RefundBasis): LimitWrite | undefined =>
  typeof slot === 'string'
    ? { conditions: [atLeast(['slots', slot], 0n)], actions: [remove(['slots', slot])] }
    : undefined

/** The concurrency limit of a text such as `concurrency 5 with slots of 60s`; undefined for any other text. */
const parseConcurrency = (text: string): Algorithm | undefined => {
  const match = /^concurrency (0|[1-9]\d{0,2}) with slots of ([1-9]\d{0,3})s$/.exec(text)
  if (match === null) return undefined
  return createConcurrency({ limit: Number(match[1]), leaseSeconds: Number(match[2]) })
}

export const concurrency: AlgorithmDefinition<ConcurrencySize> = {
  name: 'concurrency',
  create: createConcurrency,
  parse: parseConcurrency,
  scaled: (size, part) => ({ ...size, limit: part(size.limit) }),
  period: () => 'in flight at once',
}
