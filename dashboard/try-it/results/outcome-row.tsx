import { numberText } from '../../parts/numbers/number-text.ts'
import type { Outcome } from '../running/outcome.ts'
import { OutcomeDetails } from './outcome-details.tsx'

const TONES = { allowed: 'good', denied: 'bad', failed: 'warn' } as const

interface Props {
  readonly outcome: Outcome
  readonly isOpen: boolean
  onToggle(): void
}

/** One request in a line, and all of its answer where it is opened. */
export const OutcomeRow = ({ outcome, isOpen, onToggle }: Props) => {
  const { number, kind, status, durationMs, usage } = outcome
  const toggled = (isNowOpen: boolean) => {
    if (isNowOpen !== isOpen) onToggle()
  }
  return (
    <li>
      <details class="outcome" open={isOpen} onToggle={(event) => toggled(event.currentTarget.open)}>
        <summary class="outcome-line">
          <span class="number quiet">{number}</span>
          <span class={`tag ${TONES[kind]}`}>{status === 0 ? 'no response' : `${status} ${kind}`}</span>
          <span class="quiet wide-only outcome-usage">
            {usage && `${numberText(usage.prompt)} + ${numberText(usage.completion)} tokens`}
          </span>
          <span class="number">{numberText(Math.round(durationMs))} ms</span>
        </summary>
        {isOpen && <OutcomeDetails outcome={outcome} />}
      </details>
    </li>
  )
}
