import { amountText } from '../../parts/numbers/amount-text.ts'
import { isPaused } from '../../parts/numbers/load.ts'
import { spanText } from '../../parts/time.ts'
import { type Meters, meterKey } from '../limits/ask-meters.ts'
import { OwnerName } from '../owner-name.tsx'
import type { Denial, Outcome, Violation } from '../running/outcome.ts'
import { neverReasons } from './denial-words.ts'
import { useCountdown } from './use-countdown.ts'

interface Props extends Pick<Outcome, 'number' | 'endedAtMs'> {
  readonly denial: Denial
  readonly meters: Meters
}

/** Which limits denied a request, and when they may allow it. */
export const DenialNotice = ({ number, endedAtMs, denial, meters }: Props) => {
  const { message, retryAfterSeconds, violations } = denial
  return (
    <section class="denial" aria-label={`Why request ${number} was denied`}>
      <h3>Request {number} was denied</h3>
      <p>{message}</p>
      <ul class="violations">
        {violations.map((violation) => (
          <ViolationRow key={meterKey(violation)} violation={violation} meters={meters} />
        ))}
      </ul>
      {retryAfterSeconds === null ? (
        <NeverAgain violations={violations} meters={meters} />
      ) : (
        <Countdown atMs={endedAtMs + retryAfterSeconds * 1000} />
      )}
    </section>
  )
}

interface ViolationProps {
  readonly violation: Violation
  readonly meters: Meters
}

const AMOUNTS = ['available', 'requested', 'capacity'] as const

const ViolationRow = ({ violation, meters }: ViolationProps) => (
  <li class="violation">
    <span class="violation-name">
      <span class="mono">{violation.limit_name}</span> of <OwnerName id={violation.entity_id} />{' '}
      {isPaused(violation.capacity) && <span class="tag bad">paused</span>}
    </span>
    {AMOUNTS.map((name) => (
      <span key={name} class="violation-number">
        <span class="quiet">{name}</span>{' '}
        <strong class="number">{amountText(meters.get(meterKey(violation)), violation[name])}</strong>
      </span>
    ))}
  </li>
)

const NeverAgain = ({ violations, meters }: Pick<Denial, 'violations'> & Pick<Props, 'meters'>) => (
  <p>
    <strong>It can never pass.</strong>{' '}
    {neverReasons(violations, (violation) => meters.get(meterKey(violation))).join(' ')}{' '}
    {violations.some(({ capacity }) => isPaused(capacity))
      ? 'Give the limit a size above 0 to let requests pass again.'
      : 'Make the request smaller or the limit larger.'}
  </p>
)

/** Only its end is read out. */
const Countdown = ({ atMs }: { readonly atMs: number }) => {
  const seconds = useCountdown(atMs)
  return (
    <p class="countdown">
      {seconds > 0 && (
        <>
          May be tried again in <strong class="number">{spanText(seconds)}</strong>
        </>
      )}
      <strong role="status">{seconds === 0 && 'You can try again now.'}</strong>
    </p>
  )
}
