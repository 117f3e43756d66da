import type { Limit } from '../../../src/core/model/limit.ts'
import { type Cost, onMeter } from '../../../src/core/model/meter.ts'

/** An admitted request; the part that counts can differ by limit after settlement. */
export interface Event {
  readonly at: bigint
  readonly counted: Map<string, number>
  /** The generation of the bucket, and how often each of its limits was changed. */
  readonly generation: number
  readonly changes: ReadonlyMap<string, number>
}

/** A deliberately simple limiter: it logs every event and recounts them for every decision. */
export interface ReferenceLimiter {
  admits(cost: Cost, now: bigint): boolean
  record(cost: Cost, now: bigint): Event
  /** `actual`: what was used. */
  settle(event: Event, actual: Cost, now: bigint): void
  /** Drops everything, including earlier reservations. */
  reset(): void
  resize(limits: readonly Limit[]): void
}

const DAY = 86_400n * 10n ** 9n

const isPaused = ({ size }: Limit): boolean =>
  (size.algorithm === 'token_bucket' ? size.capacity : size.limit) === 0

export const createReferenceLimiter = (initial: readonly Limit[]): ReferenceLimiter => {
  let limits = initial
  let events: Event[] = []
  let generation = 0
  const changes = new Map<string, number>()

  const inWindow = ({ size }: Limit, at: bigint, now: bigint): boolean => {
    if (size.algorithm === 'fixed_window') return at / DAY === now / DAY
    if (size.algorithm !== 'sliding_window') return true
    const slotNs = (BigInt(size.windowSeconds) * 10n ** 9n) / BigInt(size.slots)
    return at / slotNs >= now / slotNs - BigInt(size.slots)
  }

  const usedOf = (limit: Limit, now: bigint): number =>
    events
      .filter(({ at }) => inWindow(limit, at, now))
      .reduce((sum, { counted }) => sum + (counted.get(limit.name) ?? 0), 0)

  /** Refilled token by token from the first event on, in thousandths of tokens. */
  const leftIn = ({ name, size }: Limit, now: bigint): number => {
    if (size.algorithm !== 'token_bucket') throw new Error(`${name} is no token bucket`)
    let [left, last] = [size.capacity, 0n]
    const flowTo = (at: bigint): void => {
      left = Math.min(size.capacity, left + (Number(at - last) / 1e9) * size.refillRate)
      last = at
    }
    for (const { at, counted } of events) {
      flowTo(at)
      left -= counted.get(name) ?? 0
    }
    flowTo(now)
    return left
  }

  const room = (limit: Limit, now: bigint): number =>
    limit.size.algorithm === 'token_bucket'
      ? leftIn(limit, now) + 1e-6
      : limit.size.limit - usedOf(limit, now)

  const settleOne = (event: Event, { name }: Limit, amount: number, now: bigint): void => {
    const difference = amount - (event.counted.get(name) ?? 0)
    const isResized = event.changes.get(name) !== changes.get(name)
    if (difference > 0) events.push({ ...event, at: now, counted: new Map([[name, difference]]) })
    else if (!isResized) event.counted.set(name, amount)
  }

  return {
    admits: (cost, now) =>
      limits.every((limit) => {
        const amount = onMeter(cost, limit.meter)
        return amount === undefined || (!isPaused(limit) && amount <= room(limit, now))
      }),
    record(cost, now) {
      const counted = new Map(limits.map(({ name, meter }) => [name, onMeter(cost, meter) ?? 0]))
      const event = { at: now, counted, generation, changes: new Map(changes) }
      events.push(event)
      return event
    },
    settle(event, actual, now) {
      if (event.generation === generation)
        for (const limit of limits) settleOne(event, limit, onMeter(actual, limit.meter) ?? 0, now)
    },
    reset() {
      events = []
      generation++
    },
    resize(next) {
      for (const { name, size } of next) {
        const before = limits.find((limit) => limit.name === name)?.size
        if (JSON.stringify(size) !== JSON.stringify(before)) changes.set(name, (changes.get(name) ?? 0) + 1)
      }
      limits = next
    },
  }
}
