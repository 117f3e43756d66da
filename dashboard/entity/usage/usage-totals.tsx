import { amountText } from '../../parts/numbers/amount-text.ts'
import { numberText } from '../../parts/numbers/number-text.ts'
import { sumOf, type UsagePoint } from './usage-points.ts'

/** What was used in all. */
export const UsageTotals = ({ points }: { readonly points: readonly UsagePoint[] }) => {
  const sum = sumOf(points)
  const totals = [
    ['Requests', numberText(sum.requests)],
    ['Denied', numberText(sum.denied)],
    ['Tokens', numberText(sum.tokens)],
    ['Input tokens', numberText(sum.input_tokens)],
    ['Output tokens', numberText(sum.output_tokens)],
    ...(sum.cost_usd_micros > 0
      ? [['Cost', amountText('cost_usd_micros', sum.cost_usd_micros)] as const]
      : []),
  ] as const
  return (
    <dl class="usage-totals">
      {totals.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="number">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
