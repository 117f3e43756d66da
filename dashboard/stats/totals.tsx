import type { Traffic } from '../api/answers.ts'
import { numberText } from '../parts/numbers/number-text.ts'
import { deniedShareText, periodText } from './stats-text.ts'

/** The sums of the period. */
export const Totals = ({ traffic }: { readonly traffic: Traffic }) => (
  <dl class="totals" aria-label={`Sums ${periodText(traffic.granularity)}`}>
    <Total name="Admitted" text={numberText(traffic.admitted)} kind="admitted" />
    <Total name="Denied" text={numberText(traffic.denied)} kind="denied" />
    <Total name="Share denied" text={deniedShareText(traffic)} kind="share-denied" />
  </dl>
)

interface TotalProps {
  readonly name: string
  readonly text: string
  readonly kind: string
}

const Total = ({ name, text, kind }: TotalProps) => (
  <div class={`card total ${kind}`}>
    <dt>{name}</dt>
    <dd class="number">{text}</dd>
  </div>
)
