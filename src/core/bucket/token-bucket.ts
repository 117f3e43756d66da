import type { TokenBucketSize } from '../model/limit.ts'
import { larger, MINUTE_NS, nsPerToken, roundedUp, SECOND_NS, smaller } from '../model/time.ts'
import {
  type Algorithm,
  type AlgorithmDefinition,
  type LimitFields,
  type LimitWrite,
  type LiveLimit,
  type LiveOrigin,
  type LiveTime,
  MOST_EXACT,
  numberAt,
  type Refund,
} from './algorithm.ts'
import { add, anyOf, atLeast, atMost, below, between, missing, set, setIfMissing } from './write.ts'

/** The capacity in tokens, and the ns in which one token refills; meaningless for a capacity of 0. */
interface TokenBucketShape {
  readonly capacity: number
  readonly tokenNs: bigint
}

const MILLION = 1_000_000n

/** A paused bucket has no rate. This is the window that it shows, and its ns per token if it never had another size. */
const PAUSED_WINDOW_NS = MINUTE_NS

/**
 * A bucket of `capacity` tokens, one of which refills every `tokenNs`, as one number: `tat`, the theoretical arrival time of
 * the generic cell rate algorithm (ITU-T I.371, virtual scheduling), which is the time at which the bucket is full again.
 * Refilling requires no write. `refunded` is the sum, in ns, of all refunds.
 */
const createTokenBucket = ({ capacity, tokenNs }: TokenBucketShape): Algorithm => {
  if (capacity === 0) return pausedBucket
  const windowNs = BigInt(capacity) * tokenNs
  const price = (tokens: number): bigint => BigInt(tokens) * tokenNs
  const usedMillionths: Algorithm['usedMillionths'] = (fields, now) =>
    roundedUp(busyFor(fields, now) * MILLION, tokenNs)

  return {
    name: 'token_bucket',
    text: textOf(capacity, windowNs),
    capacity,
    windowNs,
    usedMillionths,

    level(fields, now) {
      const free = windowNs - busyFor(fields, now)
      return { available: free > 0n ? Number(free / tokenNs) : 0, resetNs: busyFor(fields, now) }
    },

    wait(fields, cost, now, bound) {
      const overage = busyFor(fields, now) + price(cost) - (cost === 0 ? windowNs : price(bound))
      return overage > 0n ? overage : 0n
    },

    charge(snapshot, cost, now, bound) {
      if (cost === 0) return notInDebt(now + windowNs)
      return isBusy(snapshot, now) ? busy(price(cost), now, now + price(bound)) : idle(price(cost), now)
    },

    exceeded(_snapshot, cost, now, bound) {
      const room = cost === 0 ? windowNs : price(bound) - price(cost)
      return { conditions: room < 0n ? [] : [atLeast('tat', now + room + 1n)], actions: [] }
    },

    uses: (fields, now) => [{ since: now, until: now, millionths: usedMillionths(fields, now) }],

    debit(snapshot, amount, now, latest) {
      return isBusy(snapshot, now) ? busy(price(amount), now, latest) : idle(price(amount), now)
    },

    refundBasis: (fields, now) => ({
      left: numberAt(fields, 'tat', now) - now,
      refunded: numberAt(fields, 'refunded', 0n),
    }),

    refund: (snapshot, refund) => refundWrite(snapshot, refund, price(refund.amount)),

    topUp(fields, amount, now) {
      const back = smaller(price(amount), busyFor(fields, now))
      return back > 0n ? returned(back) : undefined
    },

    carryOver(previous, fields, now) {
      const used = roundedUp(previous.usedMillionths(fields, now) * tokenNs, MILLION)
      return { tat: now + used, refunded: numberAt(fields, 'refunded', 0n) }
    },

    fullAt: (fields, amount, now) => now + busyFor(fields, now) + price(amount),
    latestFullAt: (now) => now + windowNs,
    live: liveForm(capacity, tokenNs),
  }
}

/** ns of use beyond a full bucket, either way, that are kept as a number; further from now, a write charges the bucket. */
const LONGEST_BUSY_NS = MOST_EXACT / 2

/** A token bucket that is charged in place: `tat` as a number. */
class LiveTokenBucket implements LiveLimit {
  isCharged = false
  readonly #shape: LiveShape
  readonly #stored: LimitFields
  readonly #origin: LiveOrigin
  /** ns since the origin, as `#tatNs` */
  #nowNs: number
  #tatNs: number
  #isTaken = false

  constructor(shape: LiveShape, stored: LimitFields, { ns, origin }: LiveTime, busyNs: number) {
    this.#shape = shape
    this.#stored = stored
    this.#origin = origin
    this.#nowNs = ns
    this.#tatNs = ns + busyNs
  }

  moveTo({ ns }: LiveTime): boolean {
    this.#nowNs = ns
    return true
  }

  fits(cost: number, bound: number): boolean {
    return this.#overNs(cost, bound) <= 0
  }

  take(cost: number): void {
    this.isCharged = true
    if (cost === 0) return
    this.#tatNs = Math.max(this.#nowNs, this.#tatNs) + cost * this.#shape.tokenNs
    this.#isTaken = true
  }

  available(): number {
    const { windowNs, tokenNs } = this.#shape
    return Math.max(0, Math.floor((windowNs - this.resetNs()) / tokenNs))
  }

  resetNs(): number {
    return Math.max(0, this.#tatNs - this.#nowNs)
  }

  endsInNs(): undefined {
    return undefined
  }

  waitNs(cost: number, bound: number): number {
    return Math.max(0, this.#overNs(cost, bound))
  }

  fullInNs(): number {
    return this.#shape.windowNs
  }

  fields(): LimitFields {
    if (!this.#isTaken) return this.#stored
    const tat = this.#origin.at + BigInt(this.#tatNs)
    return { tat, refunded: numberAt(this.#stored, 'refunded', 0n) }
  }

  #overNs(cost: number, bound: number): number {
    const { windowNs, tokenNs } = this.#shape
    return this.resetNs() + cost * tokenNs - (cost === 0 ? windowNs : bound * tokenNs)
  }
}

interface LiveShape {
  readonly windowNs: number
  readonly tokenNs: number
}

const liveForm = (capacity: number, tokenNs: bigint): NonNullable<Algorithm['live']> => {
  const shape = { windowNs: capacity * Number(tokenNs), tokenNs: Number(tokenNs) }
  return (fields, time) => {
    const busyNs = typeof fields.tat === 'bigint' ? Number(fields.tat - time.now) : Number.NEGATIVE_INFINITY
    if (shape.windowNs > MOST_EXACT || busyNs > LONGEST_BUSY_NS) return undefined
    return new LiveTokenBucket(
      shape,
      fields,
      time,
      busyNs < -LONGEST_BUSY_NS ? Number.NEGATIVE_INFINITY : busyNs,
    )
  }
}

/**
 * A token bucket of capacity 0. It admits nothing: only settlements of earlier charges change it. The amount that was in use
 * when it was paused refills at the rate of that time, stored as `price` (ns per token), so pausing never admits more.
 */
const pausedBucket: Algorithm = {
  name: 'token_bucket',
  text: `token_bucket 0 per ${PAUSED_WINDOW_NS / SECOND_NS}s`,
  capacity: 0,
  windowNs: PAUSED_WINDOW_NS,
  level: (fields, now) => ({ available: 0, resetNs: busyFor(fields, now) }),
  wait: (fields, _cost, now) => busyFor(fields, now),
  charge: (_snapshot, _cost, now) => notInDebt(now),
  exceeded: (_snapshot, cost, now) => ({
    conditions: cost === 0 ? [atLeast('tat', now + 1n)] : [],
    actions: [],
  }),
  debit(snapshot, amount, now, latest) {
    const priceNs = BigInt(amount) * keptPrice(snapshot)
    return isBusy(snapshot, now) ? busy(priceNs, now, latest) : idle(priceNs, now)
  },
  refundBasis: () => ({}),
  refund: () => undefined,
  topUp(fields, amount, now) {
    const back = smaller(BigInt(amount) * keptPrice(fields), busyFor(fields, now))
    return back > 0n ? returned(back) : undefined
  },
  usedMillionths: (fields, now) => roundedUp(busyFor(fields, now) * MILLION, keptPrice(fields)),
  uses: (fields, now) => [{ since: now, until: now, millionths: pausedBucket.usedMillionths(fields, now) }],
  carryOver(previous, fields, now) {
    const price = roundedUp(previous.windowNs, BigInt(Math.max(1, previous.capacity)))
    const used = roundedUp(previous.usedMillionths(fields, now) * price, MILLION)
    return { tat: now + used, refunded: numberAt(fields, 'refunded', 0n), price }
  },
  fullAt: (fields, amount, now) => now + busyFor(fields, now) + BigInt(amount) * keptPrice(fields),
  latestFullAt: (now) => now,
}

const keptPrice = (fields: LimitFields | undefined): bigint =>
  numberAt(fields ?? {}, 'price', PAUSED_WINDOW_NS)

const busyFor = (fields: LimitFields, now: bigint): bigint => {
  const left = numberAt(fields, 'tat', now) - now
  return left > 0n ? left : 0n
}

/** The token bucket of a text such as `token_bucket 50 per 60s`; undefined for any other text. */
const parseTokenBucket = (text: string): Algorithm | undefined => {
  if (text === pausedBucket.text) return pausedBucket
  const match = /^token_bucket ([1-9]\d{0,15}) per ([1-9]\d{0,19})(s|ns)$/.exec(text)
  if (match === null) return undefined
  const windowNs = BigInt(match[2] ?? 0) * (match[3] === 's' ? SECOND_NS : 1n)
  const capacity = Number(match[1])
  return createTokenBucket({ capacity, tokenNs: roundedUp(windowNs, BigInt(capacity)) })
}

/** Whole seconds if the same ns per token follow from them, else exact ns. */
const textOf = (capacity: number, windowNs: bigint): string => {
  const seconds = windowNs / SECOND_NS
  const tokenNs = windowNs / BigInt(capacity)
  const exact = seconds > 0n && roundedUp(seconds * SECOND_NS, BigInt(capacity)) === tokenNs
  return `token_bucket ${capacity} per ${exact ? `${seconds}s` : `${windowNs}ns`}`
}

const isBusy = (snapshot: LimitFields | undefined, now: bigint): boolean =>
  typeof snapshot?.tat === 'bigint' && snapshot.tat >= now

/** DynamoDB has no max(): one variant for a bucket that is refilling, one for a bucket that is full. */
const busy = (priceNs: bigint, now: bigint, latest: bigint): LimitWrite => ({
  conditions: [between('tat', now, latest - priceNs)],
  actions: [add('tat', priceNs)],
})

const idle = (priceNs: bigint, now: bigint): LimitWrite => ({
  conditions: [anyOf(missing('tat'), below('tat', now))],
  actions: [set('tat', now + priceNs), setIfMissing('refunded', 0n)],
})

const notInDebt = (latest: bigint): LimitWrite => ({
  conditions: [anyOf(missing('tat'), atMost('tat', latest))],
  actions: [],
})

const returned = (ns: bigint): LimitWrite => ({
  conditions: [],
  actions: [add('tat', -ns), add('refunded', ns)],
})

/**
 * A strict refund returns at most `priceNs`, and neither tokens that have refilled already nor tokens that other refunds have
 * returned since. Two bounds are each safe, so the larger one applies: the remainder of the backlog right after the charge
 * (`left`), on condition that no more has been refunded since than the snapshot shows; and the price minus the time passed,
 * which requires no condition.
 */
const refundWrite = (snapshot: LimitFields, refund: Refund, priceNs: bigint): LimitWrite | undefined => {
  if (refund.full) return returned(priceNs)
  const left = numberAt(refund.basis, 'left', 0n)
  const refunded = numberAt(refund.basis, 'refunded', 0n)
  const backlog = left - refund.elapsedNs
  const refundedSince = larger(0n, numberAt(snapshot, 'refunded', refunded) - refunded)
  const always = priceNs - refund.elapsedNs
  const amount = refund.unconditional ? always : larger(always, smaller(priceNs, backlog - refundedSince))
  if (amount <= 0n) return undefined
  if (amount === always) return returned(amount)
  return { conditions: [atMost('refunded', refunded + backlog - amount)], actions: returned(amount).actions }
}

export const tokenBucket: AlgorithmDefinition<TokenBucketSize> = {
  name: 'token_bucket',
  create: ({ capacity, refillRate }) =>
    createTokenBucket({ capacity, tokenNs: capacity === 0 ? 0n : nsPerToken(refillRate) }),
  parse: parseTokenBucket,
  scaled: (size, part, share) => ({
    ...size,
    capacity: part(size.capacity),
    refillRate: size.refillRate * share,
  }),
  period: (_, windowSeconds) => `per ${windowSeconds} seconds`,
}
