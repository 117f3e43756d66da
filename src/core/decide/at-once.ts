import { type Cost, withTotalTokens } from '../model/meter.ts'
import { type Clock, type Logger, type Moment, momentOf } from '../ports/platform.ts'
import { holdsAt } from '../resolve/resolution.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import type { ResolutionRead, Resolver } from '../resolve/resolver.ts'
import type { Decision, DecisionRequest } from './decision.ts'
import type { FastPath } from './fast-path.ts'
import type { LiveParts, LivePath } from './live-path.ts'
import type { PreparedBuckets } from './prepared-buckets.ts'

/*
 * Decisions in one synchronous call, by the cached configuration: those that need no write, and those on buckets that only this
 * process writes. All others are left to `decide`.
 */

/** Requests of one entity on one resource, whose limits are looked up once. */
export interface PreparedTarget {
  /** Decides at `moment`; undefined if `Limiter.decide` must. `cost` is checked. */
  decide(cost: Cost, settles: boolean, moment: Moment): Decision | undefined
}

export interface AtOnceDependencies {
  readonly resolver: Pick<Resolver, 'cached' | 'isCurrent'>
  readonly clock: Clock
  readonly logger: Logger
  /** How old the configuration may be, ns. */
  readonly configAgeNs: bigint
  /** Decides on buckets that only this process writes; undefined if others may write them. */
  readonly livePath: LivePath | undefined
  /** Decides by leases; undefined if there are none. */
  readonly fastPath: FastPath | undefined
  isLimited(resolution: EntityResolution): boolean
}

/** A cached resolution, with the buckets of the path that decides by it. */
interface Prepared {
  readonly read: ResolutionRead
  readonly live: LiveParts
  readonly leased: PreparedBuckets | undefined
}

/** A class: over many keys, each object that a decision reads is a miss of the processor's caches, and a closure is two. */
class Target implements PreparedTarget {
  readonly #deps: AtOnceDependencies
  readonly #target: ResolutionTarget
  #read: ResolutionRead | undefined
  #live: LiveParts
  #leased: PreparedBuckets | undefined
  /** The last time at which the age of `#read` was checked. */
  #checkedAt: Moment | undefined

  constructor(deps: AtOnceDependencies, target: ResolutionTarget) {
    this.#deps = deps
    this.#target = target
  }

  decide(cost: Cost, settles: boolean, moment: Moment): Decision | undefined {
    const read = this.#currentAt(moment)
    if (read === undefined) return undefined
    const prepared = { read, live: this.#live, leased: this.#leased }
    return decideBy(this.#deps, prepared, cost, settles, moment)
  }

  #currentAt(moment: Moment): ResolutionRead | undefined {
    const read = this.#read
    const isKnown = read !== undefined && this.#deps.resolver.isCurrent(read)
    if (isKnown && (this.#checkedAt === moment || isYoung(this.#deps, read, moment))) {
      this.#checkedAt = moment
      return read
    }
    const prepared = prepare(this.#deps, this.#target, moment)
    this.#read = prepared?.read
    this.#live = prepared?.live
    this.#leased = prepared?.leased
    this.#checkedAt = moment
    return this.#read
  }
}

export const prepareTarget = (deps: AtOnceDependencies, target: ResolutionTarget): PreparedTarget =>
  new Target(deps, target)

/** Decides one request of a target that is not prepared. */
export const decideAtOnce = (
  deps: AtOnceDependencies,
  target: ResolutionTarget,
  { cost, settles, dryRun }: DecisionRequest,
): Decision | undefined => {
  if (dryRun || (deps.livePath === undefined && deps.fastPath === undefined)) return undefined
  const moment = momentOf(deps.clock)
  const prepared = prepare(deps, target, moment)
  return prepared && decideBy(deps, prepared, cost, settles, moment)
}

const decideBy = (
  { logger, livePath, fastPath }: AtOnceDependencies,
  { read, live, leased }: Prepared,
  cost: Cost,
  settles: boolean,
  moment: Moment,
): Decision | undefined => {
  // at debug level, every evaluated limit is logged
  if (logger.isDebugOn !== false) return undefined
  const whole = withTotalTokens(cost)
  if (leased !== undefined) return fastPath?.decide(leased, whole, settles, moment)
  return livePath?.decide({ parts: live, cost: whole, settles, moment, readNs: read.readNs })
}

const prepare = (
  deps: AtOnceDependencies,
  target: ResolutionTarget,
  moment: Moment,
): Prepared | undefined => {
  const { resolver, livePath, fastPath, isLimited } = deps
  const read = resolver.cached(target)
  if (read === undefined || !isYoung(deps, read, moment)) return undefined
  const { resolution } = read.value
  if (!isLimited(resolution)) return undefined
  if (livePath !== undefined) return { read, live: livePath.prepare(resolution), leased: undefined }
  return { read, live: undefined, leased: fastPath?.prepare(resolution) }
}

const isYoung = (
  { configAgeNs }: AtOnceDependencies,
  { readNs, value }: ResolutionRead,
  moment: Moment,
): boolean => moment.monotonic - readNs < configAgeNs && holdsAt(value.resolution, moment.now)
