import { numberText } from '../../parts/numbers/number-text.ts'
import type { Outcome } from '../running/outcome.ts'
import { headerGroups } from './header-groups.ts'

/** The headers, the usage and the body of an answer. */
export const OutcomeDetails = ({ outcome }: { readonly outcome: Outcome }) => {
  const { headers, usage, body } = outcome
  const { limits, others } = headerGroups(headers)
  return (
    <div class="outcome-details">
      {usage && (
        <p>
          Usage: <strong class="number">{numberText(usage.prompt)}</strong> prompt +{' '}
          <strong class="number">{numberText(usage.completion)}</strong> completion ={' '}
          <strong class="number">{numberText(usage.prompt + usage.completion)}</strong> tokens
        </p>
      )}
      {limits.length > 0 && (
        <div class="outcome-part">
          <h4>Rate limit headers</h4>
          <HeaderList headers={limits} />
        </div>
      )}
      <div class="outcome-part">
        <h4>Body</h4>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <pre class="outcome-body" tabIndex={0}>
          {body}
        </pre>
      </div>
      {others.length > 0 && (
        <details class="other-headers">
          <summary class="other-headers-name">{others.length} other headers</summary>
          <HeaderList headers={others} />
        </details>
      )}
    </div>
  )
}

const HeaderList = ({ headers }: Pick<Outcome, 'headers'>) => (
  <dl class="headers mono">
    {headers.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
