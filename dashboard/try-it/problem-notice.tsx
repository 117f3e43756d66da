import { amountText } from '../parts/amounts.ts'
import { isPaused } from '../parts/bar.tsx'
import { useCountdown } from '../parts/countdown.ts'
import { spanText } from '../parts/time.ts'
import { OwnerName } from './limits-card.tsx'
import type { Denial, Failure, Outcome, Violation } from './send-request.ts'
import { type Meters, meterKey } from './watched-limits.ts'

interface DenialNoticeProps extends Pick<Outcome, 'number' | 'endedAtMs'> {
  readonly denial: Denial
  readonly meters: Meters
}

/** The limits that denied a request, and when it can be retried. */
export const DenialNotice = ({ number, endedAtMs, denial, meters }: DenialNoticeProps) => {
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

interface FailureNoticeProps extends Pick<Outcome, 'number' | 'endedAtMs'> {
  readonly failure: Failure
}

/** Why a request failed that no limit denied, and when it can be retried if the response contains a wait. */
export const FailureNotice = ({ number, endedAtMs, failure }: FailureNoticeProps) => {
  const { message, retryAfterSeconds } = failure
  return (
    <section class="denial failure" aria-label={`Why request ${number} failed`}>
      <h3>Request {number} failed</h3>
      <p>{message}</p>
      {retryAfterSeconds !== undefined && <Countdown atMs={endedAtMs + retryAfterSeconds * 1000} />}
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

const NeverAgain = ({
  violations,
  meters,
}: Pick<Denial, 'violations'> & Pick<DenialNoticeProps, 'meters'>) => (
  <p>
    <strong>It can never pass.</strong>{' '}
    {neverReasons(violations, (violation) => meters.get(meterKey(violation))).join(' ')}{' '}
    {violations.some(({ capacity }) => isPaused(capacity))
      ? 'Give the limit a size above 0 to let requests pass again.'
      : 'Make the request smaller or the limit larger.'}
  </p>
)

/** Screen readers announce only its end. */
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

/** `tpm of key-bob`, `rph of MODEL_TIER free` */
const nameOf = ({ limit_name, entity_id }: Violation): string =>
  `${limit_name} of ${entity_id.replace(/^POLICY:([^:]+):/, '$1 ')}`

/** Why a request can never pass, one reason per limit. */
export const neverReasons = (
  violations: readonly Violation[],
  meterOf: (violation: Violation) => string | undefined,
): readonly string[] =>
  violations
    .filter(({ retry_after_seconds }) => retry_after_seconds === null)
    .map((violation) => {
      if (isPaused(violation.capacity)) return `${nameOf(violation)} is paused: its size is 0.`
      const meter = meterOf(violation)
      const [requested, capacity] = [
        amountText(meter, violation.requested),
        amountText(meter, violation.capacity),
      ]
      return violation.requested > violation.capacity
        ? `It requests ${requested}, but ${nameOf(violation)} allows at most ${capacity}.`
        : `It requests ${requested}, more than this caller can ever use of ${nameOf(violation)} (${capacity}): the rest is reserved for higher priorities.`
    })
