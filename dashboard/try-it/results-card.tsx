import { useEffect, useState } from 'preact/hooks'
import { numberText } from '../parts/amounts.ts'
import { EmptyState } from '../parts/notices.tsx'
import { DenialNotice } from './denial-notice.tsx'
import { countsText, MAX_OUTCOMES, type Run, sumOf, type Tally } from './run.ts'
import type { Outcome } from './send-chat.ts'
import type { Meters } from './watched-limits.ts'

/** The results of the requests: counts, the last denial, and each response. */
export const ResultsCard = ({ run, meters }: { readonly run: Run; readonly meters: Meters }) => {
  const { tally, count, ended, clear } = run
  const { outcomes, counts, denied } = tally
  const isEmpty = outcomes.length === 0 && count === undefined
  return (
    <section class="card" aria-labelledby="try-results">
      <div class="card-head">
        <h2 id="try-results">Results</h2>
        {outcomes.length > 0 && (
          <button class="button small" type="button" disabled={count !== undefined} onClick={clear}>
            Clear
          </button>
        )}
      </div>
      <p class="unseen" role="status">
        {ended && endText(tally, ended)}
      </p>
      {isEmpty ? (
        <EmptyState title="Nothing sent yet">
          Send a request to see its status, time, headers, usage and body.
        </EmptyState>
      ) : (
        <Summary counts={counts} run={run} />
      )}
      {denied?.denial && <DenialNotice {...denied} denial={denied.denial} meters={meters} />}
      <Outcomes tally={tally} isRunning={count !== undefined} />
    </section>
  )
}

const endText = ({ run }: Tally, { done, count }: { done: number; count: number }): string =>
  `${done < count ? `Stopped after ${done} of ${count}. ` : ''}${countsText(run)}.`

const Summary = ({ counts, run }: { readonly counts: Tally['counts']; readonly run: Run }) => {
  const { allowed, denied, failed } = counts
  const { count, ended, tally } = run
  const done = sumOf(tally.run)
  return (
    <div class="run-summary">
      <span class="tag good number">{numberText(allowed)} allowed</span>
      <span class={`tag number ${denied > 0 ? 'bad' : ''}`}>{numberText(denied)} denied</span>
      <span class={`tag number ${failed > 0 ? 'warn' : ''}`}>{numberText(failed)} failed</span>
      <span class="quiet number run-state">
        {count !== undefined && `${done} of ${count} sent`}
        {count === undefined &&
          ended &&
          ended.done < ended.count &&
          `stopped after ${done} of ${ended.count}`}
      </span>
      <progress
        class="run-progress"
        max={count ?? 1}
        value={count === undefined ? 0 : done}
        hidden={count === undefined}
        aria-label="Progress"
      />
    </div>
  )
}

/** The number of results shown before `Show all`. */
const INITIALLY_SHOWN = 20

const Outcomes = ({ tally, isRunning }: { readonly tally: Tally; readonly isRunning: boolean }) => {
  const { outcomes, run } = tally
  const [open, setOpen] = useState<number | undefined>(undefined)
  const [showsAll, setShowsAll] = useState(false)
  const newest = outcomes[0]?.number
  useEffect(() => {
    if (!isRunning && sumOf(run) === 1) setOpen(newest)
  }, [newest, isRunning])
  if (outcomes.length === 0) return null
  return (
    <>
      <ol class="outcomes" reversed>
        {(showsAll ? outcomes : outcomes.slice(0, INITIALLY_SHOWN)).map((outcome) => (
          <OutcomeRow
            key={outcome.number}
            outcome={outcome}
            isOpen={open === outcome.number}
            onToggle={() => setOpen(open === outcome.number ? undefined : outcome.number)}
          />
        ))}
      </ol>
      {outcomes.length > INITIALLY_SHOWN && (
        <button class="button small" type="button" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? `Show the newest ${INITIALLY_SHOWN}` : `Show all ${outcomes.length}`}
        </button>
      )}
      {sumOf(tally.counts) > MAX_OUTCOMES && (
        <p class="quiet">Only the last {MAX_OUTCOMES} results are kept.</p>
      )}
    </>
  )
}

const TONES = { allowed: 'good', denied: 'bad', failed: 'warn' } as const

interface OutcomeRowProps {
  readonly outcome: Outcome
  readonly isOpen: boolean
  onToggle(): void
}

/** One request in a line, with its response when it is opened. */
export const OutcomeRow = ({ outcome, isOpen, onToggle }: OutcomeRowProps) => {
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

/** The headers, the usage and the body of a response. */
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

type Header = readonly [name: string, value: string]

const OF_LIMITS = /^(x-ratelimit|ratelimit|retry-after|x-should-retry|x-zael-)/

/** The headers about limits, and the others; both by name. */
export const headerGroups = (headers: readonly Header[]) => ({
  limits: headers.filter(([name]) => OF_LIMITS.test(name)).toSorted(byName),
  others: headers.filter(([name]) => !OF_LIMITS.test(name)).toSorted(byName),
})

const byName = ([first]: Header, [second]: Header): number => (first < second ? -1 : 1)
