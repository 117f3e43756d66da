import { useEffect, useRef } from 'preact/hooks'
import { numberText } from '../parts/amounts.ts'
import type { Outcome } from './send-request.ts'

const TONES = { allowed: 'good', denied: 'bad', failed: 'warn', stopped: 'warn' } as const

interface OutcomeRowProps {
  readonly outcome: Outcome
  /** Whether its stream has not ended. */
  readonly isArriving: boolean
  readonly isOpen: boolean
  onToggle(): void
}

/** One request in a line, with its response when it is opened. */
export const OutcomeRow = ({ outcome, isArriving, isOpen, onToggle }: OutcomeRowProps) => {
  const { number, kind, status, durationMs, usage } = outcome
  const toggled = (isNowOpen: boolean) => {
    if (isNowOpen !== isOpen) onToggle()
  }
  return (
    <li>
      <details class="outcome" open={isOpen} onToggle={(event) => toggled(event.currentTarget.open)}>
        <summary class="outcome-line">
          <span class="number quiet">{number}</span>
          <span class={`tag ${isArriving ? '' : TONES[kind]}`}>
            {status === 0 ? 'no response' : `${status} ${isArriving ? 'arriving' : kind}`}
          </span>
          <span class="quiet wide-only outcome-usage">
            {usage && `${numberText(usage.prompt)} + ${numberText(usage.completion)} tokens`}
          </span>
          <span class="number">{numberText(Math.round(durationMs))} ms</span>
        </summary>
        {isOpen && <OutcomeDetails outcome={outcome} isArriving={isArriving} />}
      </details>
    </li>
  )
}

/** The text, the usage, the headers and the body of a response. */
const OutcomeDetails = ({ outcome, isArriving }: Pick<OutcomeRowProps, 'outcome' | 'isArriving'>) => {
  const { headers, text, usage, events, body } = outcome
  const { limits, others } = headerGroups(headers)
  return (
    <div class="outcome-details">
      <p class="outcome-facts">{factsOf(outcome).join(' · ')}</p>
      {text !== '' && (
        <div class="outcome-part">
          <h4>Text</h4>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <p class="outcome-text" tabIndex={0}>
            {text}
          </p>
        </div>
      )}
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
        <h4>{events === undefined ? 'Body' : 'Events'}</h4>
        <Body text={body} isArriving={isArriving} />
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

/** The text of a body, which scrolls along with a stream. */
const Body = ({ text, isArriving }: { readonly text: string; readonly isArriving: boolean }) => {
  const element = useRef<HTMLPreElement>(null)
  useEffect(() => {
    if (isArriving && element.current) element.current.scrollTop = element.current.scrollHeight
  }, [text, isArriving])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <pre class="outcome-body" tabIndex={0} ref={element}>
      {text}
    </pre>
  )
}

/** `Upstream: openai`, `7 events`, `first after 12 ms` */
export const factsOf = ({
  headers,
  events,
  firstMs,
}: Pick<Outcome, 'headers' | 'events' | 'firstMs'>): readonly string[] => {
  const upstream = headers.find(([name]) => name === 'x-zael-upstream')?.[1]
  return [
    ...(upstream === undefined ? [] : [`Upstream: ${upstream}`]),
    ...(events === undefined ? [] : [`${numberText(events)} ${events === 1 ? 'event' : 'events'}`]),
    ...(firstMs === undefined ? [] : [`first after ${numberText(Math.round(firstMs))} ms`]),
  ]
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

type Header = readonly [name: string, value: string]

const OF_LIMITS = /^(x-ratelimit|ratelimit|anthropic-ratelimit|retry-after|x-should-retry|x-zael-degraded)/

/** The headers about limits, and the others; both by name. */
export const headerGroups = (headers: readonly Header[]) => ({
  limits: headers.filter(([name]) => OF_LIMITS.test(name)).toSorted(byName),
  others: headers.filter(([name]) => !OF_LIMITS.test(name)).toSorted(byName),
})

const byName = ([first]: Header, [second]: Header): number => (first < second ? -1 : 1)
