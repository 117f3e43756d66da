import type { Availability } from '../../api/answers.ts'
import { meterText, sizeText, sourceText } from '../../limits/limit-text.ts'
import { Bar } from '../../parts/bar.tsx'
import { numberText } from '../../parts/numbers/number-text.ts'
import { spanText } from '../../parts/time.ts'
import { hrefOf } from '../../shell/route.ts'
import { type ExplainedBucket, type ExplainedLimit, isPolicy, type LimitState } from './buckets.ts'

interface Props {
  readonly bucket: ExplainedBucket
  /** Undefined where it is not known, or not yet. */
  readonly state: Availability | undefined
  readonly isNamed?: boolean
}

/** The limits of one bucket: how much, how much of it is left, where each comes from. */
export const BucketLimits = ({ bucket, state, isNamed }: Props) => (
  <div class="bucket">
    {isNamed && <BucketName bucket={bucket} />}
    <ul class="limit-list">
      {bucket.limits.map((limit) => (
        <li key={limit.name} class="limit">
          <What limit={limit} />
          <Left
            limit={limit}
            state={state?.limits.find(({ name }) => name === limit.name)}
            isKnowable={!isPolicy(bucket)}
          />
          <Source limit={limit} />
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
  <div class="limit-what">
    <p>
      <strong class="mono">{name}</strong> {sizeText(winner)}{' '}
      {winner.mode && winner.mode !== 'enforce' && <span class="tag warn">{winner.mode}</span>}
    </p>
    <p class="quiet small">{meterText(winner)}</p>
  </div>
)

interface LeftProps {
  readonly limit: ExplainedLimit
  readonly state: LimitState | undefined
  readonly isKnowable: boolean
}

const Left = ({ limit, state, isKnowable }: LeftProps) => {
  if (!isKnowable) return <div class="limit-left" />
  const capacity = state?.capacity ?? limit.winner.capacity
  return (
    <div class="limit-left">
      <Bar available={state?.available ?? capacity} capacity={capacity} />
      <p class="number small">
        {state ? `${numberText(state.available)} of ${numberText(capacity)} left` : '…'}
        {state && state.reset_after_seconds > 0 && (
          <span class="quiet">, full in {spanText(state.reset_after_seconds)}</span>
        )}
      </p>
    </div>
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
