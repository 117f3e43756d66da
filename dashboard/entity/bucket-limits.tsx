import type { Availability, Explanation, Limit } from '../api/responses.ts'
import { limitSentence } from '../limits/limit-list.tsx'
import { pausedText, sourceText } from '../limits/limit-text.ts'
import { entrySize, heldNow } from '../limits/schedule-draft.ts'
import { sizeText } from '../limits/size-forms.ts'
import { amountText, numberText } from '../parts/amounts.ts'
import { Bar, isPaused } from '../parts/bar.tsx'
import { hrefOf } from '../parts/route.ts'
import { momentText, spanText } from '../parts/time.ts'

interface BucketLimitsProps {
  readonly bucket: ExplainedBucket
  /** The available amounts; undefined until they are loaded, or if they cannot be read. */
  readonly states: readonly LimitState[] | undefined
  readonly isNamed?: boolean
}

/** The limits of one bucket: size, available amount and source of each. */
export const BucketLimits = ({ bucket, states, isNamed }: BucketLimitsProps) => (
  <div class="bucket">
    {isNamed && <BucketTitle bucket={bucket} />}
    <ul class="limit-list">
      {bucket.limits.map((limit) => (
        <li key={limit.name} class="limit">
          <LimitTitle limit={limit} />
          <LimitAvailability limit={limit} state={states?.find(({ name }) => name === limit.name)} />
          {!isPolicy(bucket) && <LimitSource limit={limit} />}
          <UnpricedNote limit={limit} />
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
    <strong class="mono">{name}</strong> {limitSentence(heldNow(winner))}{' '}
    {winner.mode !== undefined && winner.mode !== 'enforce' && <span class="tag warn">{winner.mode}</span>}
  </p>
)

/** Which size of a limit with a schedule holds, until when, and which one follows. */
const ScheduleNow = ({ limit }: { readonly limit: Limit }) => {
  const { schedule_state: state } = limit
  if (state === undefined) return null
  const { entry, ends_at: endsAt, next } = state
  return (
    <p class="small quiet limit-schedule">
      {entry === null ? 'Its usual size' : 'Its size by schedule'}
      {endsAt !== null && ` until ${momentText(endsAt)}`}
      {next !== null && `, then ${sizeText({ ...limit, ...entrySize(limit, sizeIn(limit, next)) })}`}
      {next !== null && next.ends_at !== null && ` until ${momentText(next.ends_at)}`}
    </p>
  )
}

/** As an entry of the schedule states it. */
const sizeIn = (
  { limit }: Limit,
  { capacity, refill_rate: rate }: { readonly capacity: number; readonly refill_rate?: number },
) => (limit === undefined ? { capacity, refill_rate: rate ?? 0 } : { limit: capacity })

/** A budget that does not apply to some models looks as if it did. */
const UnpricedNote = ({ limit: { unpriced_models: models = [] } }: { readonly limit: ExplainedLimit }) =>
  models.length === 0 ? null : (
    <p class="limit-note small">
      <span class="tag warn">not applied</span> to {unpricedText(models)}, which{' '}
      {models.length === 1 ? 'has' : 'have'} no prices
    </p>
  )

/** The most models that a note names. */
const MOST_NAMED = 4

/** `a, b and 3 more` */
export const unpricedText = (models: readonly string[]): string => {
  const named = models.slice(0, MOST_NAMED)
  const rest = models.length - named.length
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ')
}

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
            <AvailabilityText limit={heldNow(limit.winner)} state={state} />
          )}
        </p>
      </>
    )}
    <ScheduleNow limit={limit.winner} />
  </div>
)

interface AvailabilityTextProps {
  readonly limit: Limit
  readonly state: LimitState
}

const AvailabilityText = (props: AvailabilityTextProps) =>
  props.limit.algorithm === 'concurrency' ? <InFlightText {...props} /> : <AmountText {...props} />

const InFlightText = ({ state: { available, capacity } }: AvailabilityTextProps) => (
  <>
    {numberText(capacity - available)} of {numberText(capacity)} in flight
  </>
)

const AmountText = ({ limit, state }: AvailabilityTextProps) => {
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

/** The debt of a token bucket after a settlement beyond its reservation. */
export interface Debt {
  /** Tokens (micro-dollars of a budget) below zero, at least 1. */
  readonly amount: number
  /** Time until the first token is available again. */
  readonly seconds: number
}

/** The API rounds times up to the millisecond. */
const ROUNDED_UP_SECONDS = 0.001

/**
 * The debt of a token bucket; undefined without one. The API shows a debt as 0 available, but includes it in the time until
 * the bucket is full: the refill of that time beyond the capacity is the debt. The time of a window does not depend on its
 * usage, so its debt cannot be derived.
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

/** One bucket that a request is charged to, with its limits and their sources. */
export type ExplainedBucket = Explanation['also_enforced'][number]
export type ExplainedLimit = ExplainedBucket['limits'][number]

/** The available amount of a limit. */
export type LimitState = Pick<
  Availability['limits'][number],
  'name' | 'available' | 'capacity' | 'reset_after_seconds'
>

/** By `bucketKey`. */
export type BucketStates = ReadonlyMap<string, readonly LimitState[]>

const POLICY = /^POLICY:/

/** Whether a bucket belongs to a policy rather than an entity. */
export const isPolicy = ({ entity_id }: Pick<ExplainedBucket, 'entity_id'>): boolean => POLICY.test(entity_id)

/** The limits set for the resource itself, without inherited ones. */
export const ownLimits = ({ resource, limits }: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.map(({ winner }) => winner).filter(({ source }) => source === `entity:${resource}`)

/** The limits that would apply if none were set for the resource itself. */
export const inheritedLimits = ({
  resource,
  limits,
}: Pick<Explanation, 'resource' | 'limits'>): readonly Limit[] =>
  limits.flatMap(({ winner, overrides }) => {
    const next = [winner, ...overrides].find(({ source }) => source !== `entity:${resource}`)
    return next ? [next] : []
  })

/** The entity or policy of a bucket, and its resource. */
export type BucketKey = Pick<ExplainedBucket, 'entity_id' | 'resource'>

/** A key for maps and lists of buckets. */
export const bucketKey = ({ entity_id, resource }: BucketKey): string => `${entity_id} ${resource}`
