import { numberText } from '../../parts/numbers/number-text.ts'
import { spanText } from '../../parts/time.ts'
import { OwnerName } from '../owner-name.tsx'
import type { Denial, Outcome, Violation } from '../running/outcome.ts'
import { neverReasons } from './denial-words.ts'
import { useCountdown } from './use-countdown.ts'

interface Props extends Pick<Outcome, 'number' | 'endedAtMs'> {
  readonly denial: Denial
}

/** Which limits said no, and when they may say yes. */
export const DenialNotice = ({ number, endedAtMs, denial }: Props) => {
  const { message, retryAfterSeconds, violations } = denial
  return (
    <section class="denial" aria-label={`Why request ${number} was denied`}>
      <h3>Request {number} was denied</h3>
      <p>{message}</p>
      <ul class="violations">
        {violations.map((violation) => (
          <ViolationRow key={`${violation.entity_id} ${violation.limit_name}`} {...violation} />
        ))}
      </ul>
      {retryAfterSeconds === null ? (
        <NeverAgain violations={violations} />
      ) : (
        <Countdown atMs={endedAtMs + retryAfterSeconds * 1000} />
      )}
    </section>
  )
}

const ViolationRow = ({ limit_name, entity_id, available, requested, capacity }: Violation) => (
  <li class="violation">
    <span class="violation-name">
      <span class="mono">{limit_name}</span> of <OwnerName id={entity_id} />
    </span>
    {(
      [
        ['available', available],
        ['requested', requested],
        ['capacity', capacity],
      ] as const
    ).map(([name, value]) => (
      <span key={name} class="violation-number">
        <span class="quiet">{name}</span> <strong class="number">{numberText(value)}</strong>
      </span>
    ))}
  </li>
)

const NeverAgain = ({ violations }: Pick<Denial, 'violations'>) => (
  <p>
    <strong>It can never pass.</strong> {neverReasons(violations).join(' ')} Make the request smaller, or the
    limit larger.
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
      <strong role="status">{seconds === 0 && 'It may be tried again now.'}</strong>
    </p>
  )
}
