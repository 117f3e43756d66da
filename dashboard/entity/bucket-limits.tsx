import type { Availability, Explanation, Limit } from '../api/responses.ts'
import { limitSentence } from '../limits/limit-list.tsx'
import { pausedText, sizeText, sourceText } from '../limits/limit-text.ts'
import { amountText } from '../parts/amounts.ts'
import { Bar, isPaused } from '../parts/bar.tsx'
import { hrefOf } from '../parts/route.ts'
import { spanText } from '../parts/time.ts'

interface BucketLimitsProps {
  readonly bucket: ExplainedBucket
  /** What is left; undefined where it is not known, or not yet. */
  readonly states: readonly LimitState[] | undefined
  readonly isNamed?: boolean
}

/** The limits of one bucket: how much, how much of it is left, where each comes from. */
export const BucketLimits = ({ bucket, states, isNamed }: BucketLimitsProps) => (
  <div class="bucket">
    {isNamed && <BucketTitle bucket={bucket} />}
    <ul class="limit-list">
      {bucket.limits.map((limit) => (
        <li key={limit.name} class="limit">
          <LimitTitle limit={limit} />
          <LimitAvailability limit={limit} state={states?.find(({ name }) => name === limit.name)} />
          {!isPolicy(bucket) && <LimitSource limit={limit} />}
        </li>
      ))}
    </ul>
  </div>
)

const BucketTitle = ({ bucket }: Pick<BucketLimitsProps, 'bucket'>) => {
  const { entity_id: id, resource } = bucket
  if (isPolicy(bucket)) return <h3>Policy {id.split(':').slice(1).join(' ')}</h3>
  return (
    <h3>
      <a href={hrefOf({ view: 'entity', id })}>{id}</a> on {resource}
    </h3>
  )
}

const LimitTitle = ({ limit: { name, winner } }: { readonly limit: ExplainedLimit }) => (
  <p class="limit-what">
    <strong class="mono">{name}</strong> {limitSentence(winner)}{' '}
    {winner.mode !== undefined && winner.mode !== 'enforce' && <span class="tag warn">{winner.mode}</span>}
  </p>
)

interface LimitAvailabilityProps {
  readonly limit: ExplainedLimit
  readonly state: LimitState | undefined
}

const LimitAvailability = ({ limit, state }: LimitAvailabilityProps) => (
  <div class="limit-left">
    {state && (
      <>
        <Bar available={state.available} capacity={state.capacity} />
        <p class="number small">
          {isPaused(state.capacity) ? (
            `paused: ${pausedText(limit.winner.meter, limit.winner.mode)}`
          ) : (
            <AvailabilityText limit={limit.winner} state={state} />
          )}
        </p>
      </>
    )}
  </div>
)

interface AvailabilityTextProps {
  readonly limit: Limit
  readonly state: LimitState
}

const AvailabilityText = ({ limit, state }: AvailabilityTextProps) => {
  const { available, capacity, reset_after_seconds: reset } = state
  const debt = debtOf(limit, state)
  const left = debt ? `−${amountText(limit.meter, debt.amount)}` : amountText(limit.meter, available)
  return (
    <>
      {left} of {amountText(limit.meter, capacity)} left
      {debt && <strong> (in debt, available again in {spanText(debt.seconds)})</strong>}
      {reset > 0 && <span class="quiet">, full in {spanText(reset)}</span>}
    </>
  )
}

const LimitSource = ({ limit: { winner, overrides } }: { readonly limit: ExplainedLimit }) => (
  <div class="limit-source small">
    <p>{sourceText(winner.source)}</p>
    {overrides.map((overridden) => (
      <p key={overridden.source} class="quiet">
        instead of {sizeText(overridden)} ({sourceText(overridden.source)})
      </p>
    ))}
  </div>
)

/** What a token bucket owes after a settlement beyond its reservation. */
export interface Debt {
  /** Tokens (micro-dollars of a budget) below zero; at least 1. */
  readonly amount: number
  /** Until the first token is available again. */
  readonly seconds: number
}

/** The API rounds times up to the millisecond. */
const ROUNDED_UP_SECONDS = 0.001

/**
 * The debt of a token bucket; undefined where there is none. The API shows a debt as 0 available, but counts it in the time
 * until the bucket is full: what refills in that time beyond the capacity is owed. The time of a window does not depend on
 * its use, so the debt of a window cannot be derived.
 */
export const debtOf = (
  { algorithm, refill_rate: rate = 0 }: Pick<Limit, 'algorithm' | 'refill_rate'>,
  { available, capacity, reset_after_seconds }: LimitState,
): Debt | undefined => {
  if (algorithm !== 'token_bucket' || rate <= 0 || available > 0) return undefined
  const seconds = reset_after_seconds - capacity / rate
  const amount = Math.round(seconds * rate)
  return seconds > ROUNDED_UP_SECONDS && amount >= 1 ? { amount, seconds } : undefined
}

/** One bucket that a request meets, with its limits and where they come from. */
export type ExplainedBucket = Explanation['also_enforced'][number]
export type ExplainedLimit = ExplainedBucket['limits'][number]

/** What is left of a limit. */
export type LimitState = Pick<
  Availability['limits'][number],
  'name' | 'available' | 'capacity' | 'reset_after_seconds'
>

/** By `bucketText`. */
export type BucketStates = ReadonlyMap<string, readonly LimitState[]>

const POLICY = /^POLICY:/

/** Whether a bucket is a policy's, not an entity's. */
export const isPolicy = ({ entity_id }: Pick<ExplainedBucket, 'entity_id'>): boolean => POLICY.test(entity_id)

/** What is set for the resource itself, without what it inherits. */
export const ownLimits = ({ resource, limits }: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.map(({ winner }) => winner).filter(({ source }) => source === `entity:${resource}`)

/** What would hold if nothing were set for the resource itself. */
export const inheritedLimits = ({
  resource,
  limits,
}: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.flatMap(({ winner, overrides }) => {
    const next = [winner, ...overrides].find(({ source }) => source !== `entity:${resource}`)
    return next ? [next] : []
  })

/** Whose bucket, on what. */
export type BucketKey = Pick<ExplainedBucket, 'entity_id' | 'resource'>

/** A bucket's name among others. */
export const bucketKey = ({ entity_id, resource }: BucketKey): string => `${entity_id} ${resource}`
