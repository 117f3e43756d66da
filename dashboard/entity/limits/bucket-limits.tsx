import type { Limit } from '../../api/answers.ts'
import { pausedText, sizeText, sourceText } from '../../limits/limit-text.ts'
import { limitSentence } from '../../limits/showing/limit-sentence.ts'
import { Bar } from '../../parts/bar.tsx'
import { amountText } from '../../parts/numbers/amount-text.ts'
import { isPaused } from '../../parts/numbers/load.ts'
import { spanText } from '../../parts/time.ts'
import { hrefOf } from '../../shell/route.ts'
import { type ExplainedBucket, type ExplainedLimit, isPolicy, type LimitState } from './buckets.ts'
import { debtOf } from './debt.ts'

interface Props {
  readonly bucket: ExplainedBucket
  /** What is left; undefined where it is not known, or not yet. */
  readonly states: readonly LimitState[] | undefined
  readonly isNamed?: boolean
}

/** The limits of one bucket: how much, how much of it is left, where each comes from. */
export const BucketLimits = ({ bucket, states, isNamed }: Props) => (
  <div class="bucket">
    {isNamed && <BucketName bucket={bucket} />}
    <ul class="limit-list">
      {bucket.limits.map((limit) => (
        <li key={limit.name} class="limit">
          <What limit={limit} />
          <Left limit={limit} state={states?.find(({ name }) => name === limit.name)} />
          {!isPolicy(bucket) && <Source limit={limit} />}
        </li>
      ))}
    </ul>
  </div>
)

const BucketName = ({ bucket }: Pick<Props, 'bucket'>) => {
  const { entity_id: id, resource } = bucket
  if (isPolicy(bucket)) return <h3>Policy {id.split(':').slice(1).join(' ')}</h3>
  return (
    <h3>
      <a href={hrefOf({ view: 'entity', id })}>{id}</a> on {resource}
    </h3>
  )
}

const What = ({ limit: { name, winner } }: { readonly limit: ExplainedLimit }) => (
  <p class="limit-what">
    <strong class="mono">{name}</strong> {limitSentence(winner)}{' '}
    {winner.mode !== undefined && winner.mode !== 'enforce' && <span class="tag warn">{winner.mode}</span>}
  </p>
)

interface LeftProps {
  readonly limit: ExplainedLimit
  readonly state: LimitState | undefined
}

const Left = ({ limit, state }: LeftProps) => (
  <div class="limit-left">
    {state && (
      <>
        <Bar available={state.available} capacity={state.capacity} />
        <p class="number small">
          {isPaused(state.capacity) ? (
            `paused: ${pausedText(limit.winner.meter, limit.winner.mode)}`
          ) : (
            <LeftText limit={limit.winner} state={state} />
          )}
        </p>
      </>
    )}
  </div>
)

interface LeftTextProps {
  readonly limit: Limit
  readonly state: LimitState
}

const LeftText = ({ limit, state }: LeftTextProps) => {
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

const Source = ({ limit: { winner, overrides } }: { readonly limit: ExplainedLimit }) => (
  <div class="limit-source small">
    <p>{sourceText(winner.source)}</p>
    {overrides.map((overridden) => (
      <p key={overridden.source} class="quiet">
        instead of {sizeText(overridden)} ({sourceText(overridden.source)})
      </p>
    ))}
  </div>
)
