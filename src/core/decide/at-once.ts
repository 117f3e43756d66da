import { type Cost, withTotalTokens } from '../model/meter.ts'
import { SECOND_NS } from '../model/time.ts'
import { type Clock, type Logger, type Moment, momentOf } from '../ports/platform.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import { type Entry, isCached, type Resolver } from '../resolve/resolver.ts'
import type { Decision, DecisionRequest } from './decision.ts'
import type { FastPath } from './fast-path.ts'
import type { LivePath } from './live-path.ts'

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
  readonly resolver: Pick<Resolver, 'entry'>
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

type ResolutionEntry = Entry<EntityResolution>

/** The maximum age of the configuration of a denial, as in `decide`. */
const DENIAL_MAX_AGE_NS = SECOND_NS

export const prepareTarget = (deps: AtOnceDependencies, target: ResolutionTarget): PreparedTarget => {
  let entry: ResolutionEntry | undefined
  /** The last time for which the age of `entry` was checked. */
  let checkedAt: Moment | undefined

  const entryAt = (moment: Moment): ResolutionEntry | undefined => {
    if (entry !== undefined && checkedAt === moment && isCached(entry)) return entry
    const isUsable = entry !== undefined && isCached(entry) && isYoung(deps, entry, moment)
    if (!isUsable) entry = usableEntry(deps, target, moment)
    checkedAt = moment
    return entry
  }
  return {
    decide(cost, settles, moment) {
      const found = entryAt(moment)
      return found && decideBy(deps, found, cost, settles, moment)
    },
  }
}

/** Decides one request of a target that is not prepared. */
export const decideAtOnce = (
  deps: AtOnceDependencies,
  target: ResolutionTarget,
  { cost, settles, dryRun }: DecisionRequest,
): Decision | undefined => {
  if (dryRun || (deps.livePath === undefined && deps.fastPath === undefined)) return undefined
  const moment = momentOf(deps.clock)
  const entry = usableEntry(deps, target, moment)
  return entry && decideBy(deps, entry, cost, settles, moment)
}

const decideBy = (
  { logger, livePath, fastPath }: AtOnceDependencies,
  { value, readNs }: ResolutionEntry,
  cost: Cost,
  settles: boolean,
  moment: Moment,
): Decision | undefined => {
  // at debug level, every evaluated limit is logged
  if (logger.isDebugOn !== false) return undefined
  const whole = withTotalTokens(cost)
  if (livePath === undefined) return fastPath?.decide(value, whole, settles, moment)
  const isFresh = moment.monotonic - readNs <= DENIAL_MAX_AGE_NS
  return livePath.decide({ resolution: value, cost: whole, settles, moment, isFresh })
}

const usableEntry = (
  deps: AtOnceDependencies,
  target: ResolutionTarget,
  moment: Moment,
): ResolutionEntry | undefined => {
  const entry = deps.resolver.entry(target)
  return entry && isYoung(deps, entry, moment) && deps.isLimited(entry.value) ? entry : undefined
}

const isYoung = ({ configAgeNs }: AtOnceDependencies, { readNs }: ResolutionEntry, moment: Moment): boolean =>
  moment.monotonic - readNs <= configAgeNs
