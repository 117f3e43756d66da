import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** Probabilities of failures, 0 to 1, and the mean duration of a call, ns. */
export interface NetworkFaults {
  readonly meanDelayNs: number
  /** Calls that take up to a second: a call that exceeds the deadline is abandoned, but still arrives. */
  readonly slow: number
  readonly lostBefore: number
  readonly lostAfter: number
  readonly throttled: number
}

/** The outcome of a call: whether its response arrived in time. */
export interface CallEnd {
  isReceived: boolean
}

/** The effect of a call on arrival; `end` is filled in later. */
type Call<T> = (end: CallEnd, sentNs: number) => Promise<T>

export interface Network {
  /** The table as a machine reaches it. */
  from(machine: Machine, table: TableAtWork): BucketStore
  /** The configuration as a machine reaches it. */
  configFrom(machine: Machine, config: ConfigStore): ConfigStore
}

/** The table; it receives, with each call, the outcome that the caller will get. */
export interface TableAtWork {
  write(
    ...call: [...Parameters<BucketStore['write']>, end: CallEnd, sentNs: number]
  ): ReturnType<BucketStore['write']>
  read: BucketStore['read']
  list: BucketStore['list']
}

/** As in the settings: a call without a response is abandoned after this time. */
export const DEADLINE_NS = 250_000_000
const SLOWEST_NS = 1_000_000_000
const SHORTEST_NS = 100_000

export const createNetwork = (
  scheduler: Scheduler,
  random: Random,
  faultsNow: () => NetworkFaults,
): Network => {
  const way = (faults: NetworkFaults): number =>
    random.chance(faults.slow)
      ? random.between(SHORTEST_NS, SLOWEST_NS)
      : SHORTEST_NS + random.gap(faults.meanDelayNs)

  const fate = (): Fate => {
    const faults = faultsNow()
    const [there, back, luck] = [way(faults), way(faults), random.next()]
    return { there, back, isInTime: there + back <= DEADLINE_NS, end: endOf(faults, luck) }
  }

  const send = <T>(machine: Machine, call: Call<T>): Promise<T> => {
    const { there, back, isInTime, end } = fate()
    const sentNs = scheduler.now()
    const outcome: CallEnd = { isReceived: end === 'delivered' && isInTime }
    const isRejected = end === 'throttled' && isInTime
    const { promise, resolve, reject } = promiseOf<T>()
    const fail = (): void => reject(new StoreUnavailable(end, { mayHaveApplied: !isRejected }))
    if (!outcome.isReceived) machine.after(isRejected ? there + back : DEADLINE_NS, fail)
    if (end === 'throttled' || end === 'lost before') return promise
    scheduler.at(sentNs + there, () => {
      const applied = call(outcome, sentNs)
      if (outcome.isReceived) machine.after(back, () => applied.then(resolve, reject))
      // nothing waits for the result of a rejected call
      applied.catch(() => {})
    })
    return promise
  }

  return {
    from: (machine, table) => ({
      write: (id, write) => send(machine, (end, sentNs) => table.write(id, write, end, sentNs)),
      read: (id) => send(machine, () => table.read(id)),
      list: (entityId) => send(machine, () => table.list(entityId)),
      // policies are not removed here
      remove: () => Promise.reject(new Error('the simulation removes no bucket')),
    }),
    configFrom: (machine, config) => ({
      entity: (id) => send(machine, () => config.entity(id)),
      entities: (ids) => send(machine, () => config.entities(ids)),
      model: (id) => send(machine, () => config.model(id)),
      limitSets: (keys) => send(machine, () => config.limitSets(keys)),
      apiKey: (secretHash) => send(machine, () => config.apiKey(secretHash)),
    }),
  }
}

interface Fate {
  readonly there: number
  readonly back: number
  readonly isInTime: boolean
  readonly end: 'throttled' | 'lost before' | 'lost after' | 'delivered'
}

const endOf = ({ throttled, lostBefore, lostAfter }: NetworkFaults, luck: number): Fate['end'] => {
  if (luck < throttled) return 'throttled'
  if (luck < throttled + lostBefore) return 'lost before'
  return luck < throttled + lostBefore + lostAfter ? 'lost after' : 'delivered'
}

const promiseOf = <T>() => {
  let [resolve, reject] = [(_: T): void => {}, (_: unknown): void => {}]
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  return { promise, resolve, reject }
}
