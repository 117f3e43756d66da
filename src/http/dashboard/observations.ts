import pLimit from 'p-limit'
import type { BucketStatus } from '../../core/decide/inspector.ts'
import type { Limiter } from '../../core/decide/limiter.ts'
import { ZaelError } from '../../core/model/errors.ts'
import { MS_NS } from '../../core/model/time.ts'
import type { Cache, CacheFactory, Clock } from '../../core/ports/platform.ts'

/** The availability of an entity over time, from one read; undefined: it no longer exists. */
export type Observed = ((now: bigint) => BucketStatus) | undefined

interface Observation {
  /** Monotonic clock, ns. */
  readonly at: bigint
  readonly observed: Promise<Observed>
}

type Observer = Pick<Limiter, 'observe' | 'prepareObserving'>

interface Options {
  readonly limiter: Observer
  readonly clock: Clock
  readonly caches: CacheFactory
  /** The least time between two reads of an entity; 0: read each time. */
  readonly maxAgeMs: number
}

/** The availability of entities, read once for all viewers. */
export interface Observations {
  /** In the order of `entityIds`. Throws `StoreUnavailable`. */
  of(entityIds: readonly string[]): Promise<readonly Observed[]>
}

/** Entities read at the same time; few, so that decisions, whose deadline is 250 ms, do not queue behind them. */
const AT_ONCE = 10
/** Entities whose configuration is read in one batch. */
const PREPARED = 50
/**
 * The most entities to read again within `maxAgeMs`, for all viewers and pages together; the least recently read come first.
 * Until its turn, an entity appears as it refills, without charges since its last read.
 */
export const MAX_REREADS = 100
const MAX_OBSERVED = 5000

export const createObservations = ({ limiter, clock, caches, maxAgeMs }: Options): Observations => {
  const known: Cache<Observation> = caches({ max: MAX_OBSERVED })
  const maxAgeNs = BigInt(maxAgeMs) * MS_NS
  const allowance = createAllowance(maxAgeNs)
  const limit = pLimit(AT_ONCE)

  const read = (ids: readonly string[], at: bigint): readonly (readonly [string, Observation])[] => {
    let prepared: Promise<void> | undefined
    return ids.map((id) => {
      const observed = limit(async () => {
        prepared ??= limiter.prepareObserving(ids)
        await prepared
        return observe(limiter, id)
      })
      const observation = { at, observed }
      known.set(id, observation)
      observed.catch(() => known.get(id) === observation && known.delete(id))
      return [id, observation]
    })
  }

  return {
    async of(entityIds) {
      const at = clock.monotonic()
      const chosen = new Map(entityIds.map((id) => [id, known.get(id)]))
      const due = dueAt(chosen, at - maxAgeNs)
      const ids = [...due.unknown, ...due.old.slice(0, allowance(at, due.old.length))]
      for (let start = 0; start < ids.length; start += PREPARED)
        for (const [id, made] of read(ids.slice(start, start + PREPARED), at)) chosen.set(id, made)
      return Promise.all(entityIds.map((id) => chosen.get(id)?.observed))
    },
  }
}

/** Entities that were never read, and those last read before `before`, the oldest first. */
const dueAt = (chosen: ReadonlyMap<string, Observation | undefined>, before: bigint) => {
  const unknown: string[] = []
  const old: { readonly id: string; readonly at: bigint }[] = []
  for (const [id, observation] of chosen) {
    if (observation === undefined) unknown.push(id)
    else if (observation.at <= before) old.push({ id, at: observation.at })
  }
  return { unknown, old: old.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ id }) => id) }
}

/** Returns how many of the due entities may be read: at most `MAX_REREADS` within a span. Without a span: all. */
const createAllowance = (spanNs: bigint) => {
  let begun: bigint | undefined
  let left = 0
  return (now: bigint, wanted: number): number => {
    if (spanNs === 0n) return wanted
    if (begun === undefined || now - begun >= spanNs) {
      begun = now
      left = MAX_REREADS
    }
    const given = Math.min(wanted, left)
    left -= given
    return given
  }
}

const observe = async (limiter: Observer, id: string): Promise<Observed> => {
  try {
    return await limiter.observe(id)
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'not_found') return undefined
    throw error
  }
}
