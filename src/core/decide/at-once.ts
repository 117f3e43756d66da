import { type Cost, withTotalTokens } from '../model/meter.ts'
import { smaller } from '../model/time.ts'
import { type Clock, type Instant, instantOf, type Logger, type Moment, momentOf } from '../ports/platform.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import type { ResolutionRead, Resolver } from '../resolve/resolver.ts'
import type { Decision, DecisionRequest } from './decision.ts'
import type { FastPath } from './fast-path.ts'
import type { LiveParts, LivePath } from './live-path.ts'
import type { PreparedBucket } from './prepared-buckets.ts'

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

/** A cached resolution, with the first bucket of the path that decides by it. */
interface Prepared {
  readonly read: ResolutionRead
  readonly live: LiveParts
  readonly leased: PreparedBucket | undefined
}

/** A class: over many keys, each object that a decision reads is a miss of the processor's caches, and a closure is two. */
class Target implements PreparedTarget {
  readonly #deps: AtOnceDependencies
  readonly #target: ResolutionTarget
  #read: ResolutionRead | undefined
  #live: LiveParts
  #leased: PreparedBucket | undefined
  /** Until then `#read` is used: by the monotonic clock, and by the wall clock. */
  #untilNs = Number.NEGATIVE_INFINITY
  #untilAtNs = Number.NEGATIVE_INFINITY

  constructor(deps: AtOnceDependencies, target: ResolutionTarget) {
    this.#deps = deps
    this.#target = target
  }

  decide(cost: Cost, settles: boolean, moment: Moment): Decision | undefined {
    const read = this.#currentAt(moment)
    if (read === undefined) return undefined
    return decideBy(this.#deps, read, this.#live, this.#leased, { cost, settles, moment })
  }

  #currentAt(moment: Moment): ResolutionRead | undefined {
    const read = this.#read
    const { nowNs, monotonicNs } = instantOf(moment)
    const isInTime = monotonicNs < this.#untilNs && nowNs < this.#untilAtNs
    if (isInTime && read !== undefined && this.#deps.resolver.isCurrent(read)) return read
    const prepared = prepare(this.#deps, this.#target, moment)
    this.#read = prepared?.read
    this.#live = prepared?.live
    this.#leased = prepared?.leased
    if (prepared === undefined) return undefined
    const end = endOf(this.#deps, prepared.read)
    this.#untilNs = end.monotonicNs
    this.#untilAtNs = end.nowNs
    return prepared.read
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
  return prepared && decideBy(deps, prepared.read, prepared.live, prepared.leased, { cost, settles, moment })
}

interface AtOnceRequest {
  readonly cost: Cost
  readonly settles: boolean
  readonly moment: Moment
}

const decideBy = (
  { logger, livePath, fastPath }: AtOnceDependencies,
  { readNs }: ResolutionRead,
  live: LiveParts,
  leased: PreparedBucket | undefined,
  { cost, settles, moment }: AtOnceRequest,
): Decision | undefined => {
  // at debug level, every evaluated limit is logged
  if (logger.isDebugOn !== false) return undefined
  const whole = withTotalTokens(cost)
  if (leased !== undefined) return fastPath?.decide(leased, whole, settles, moment)
  return livePath?.decide({ parts: live, cost: whole, settles, moment, readNs })
}

const prepare = (
  deps: AtOnceDependencies,
  target: ResolutionTarget,
  moment: Moment,
): Prepared | undefined => {
  const { resolver, livePath, fastPath, isLimited } = deps
  const read = resolver.cached(target)
  if (read === undefined || !isBefore(instantOf(moment), endOf(deps, read))) return undefined
  const { resolution } = read.value
  if (!isLimited(resolution)) return undefined
  if (livePath !== undefined) return { read, live: livePath.prepare(resolution), leased: undefined }
  return { read, live: undefined, leased: fastPath?.prepare(resolution) }
}

/** When a read is too old, by the monotonic clock, and when a limit has another size, by the wall clock. */
const endOf = ({ configAgeNs }: AtOnceDependencies, { readNs, value }: ResolutionRead): Instant => {
  const { until } = value.resolution
  const tooOldNs = readNs + configAgeNs
  return {
    monotonicNs: Number(smaller(value.untilNs ?? tooOldNs, tooOldNs)),
    nowNs: until === undefined ? Number.POSITIVE_INFINITY : Number(until),
  }
}

const isBefore = (instant: Instant, end: Instant): boolean =>
  instant.monotonicNs < end.monotonicNs && instant.nowNs < end.nowNs
