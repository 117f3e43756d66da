import { useEffect, useState } from 'preact/hooks'
import { numberText } from '../parts/amounts.ts'
import { EmptyState } from '../parts/notices.tsx'
import { OutcomeRow } from './outcome-row.tsx'
import { DenialNotice, FailureNotice } from './problem-notice.tsx'
import { countsText, MAX_OUTCOMES, type Run, sumOf, type Tally } from './run.ts'
import type { Meters } from './watched-limits.ts'

/** The results of the requests: counts, the last denial, and each response. */
export const ResultsCard = ({ run, meters }: { readonly run: Run; readonly meters: Meters }) => {
  const { tally, arriving, count, ended, clear } = run
  const { outcomes, counts, denied, failed } = tally
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
          Send a request to see its status, time, text, usage and headers.
        </EmptyState>
      ) : (
        <Summary counts={counts} run={run} />
      )}
      {denied?.denial && <DenialNotice {...denied} denial={denied.denial} meters={meters} />}
      {failed?.failure && <FailureNotice {...failed} failure={failed.failure} />}
      <Outcomes tally={tally} arriving={arriving} runCount={count} />
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

type OutcomesProps = Pick<Run, 'tally' | 'arriving'> & {
  /** The size of the current run. */
  readonly runCount: number | undefined
}

const Outcomes = ({ tally, arriving, runCount }: OutcomesProps) => {
  const { outcomes, run } = tally
  const [open, setOpen] = useState<number | undefined>(undefined)
  const [showsAll, setShowsAll] = useState(false)
  const newest = Math.max(arriving[0]?.number ?? 0, outcomes[0]?.number ?? 0)
  const isOnlyOne = runCount === undefined ? sumOf(run) === 1 : runCount === 1 && arriving.length === 1
  useEffect(() => {
    if (isOnlyOne) setOpen(newest)
  }, [newest, isOnlyOne])
  if (outcomes.length === 0 && arriving.length === 0) return null
  const shown = showsAll ? outcomes : outcomes.slice(0, INITIALLY_SHOWN)
  return (
    <>
      <ol class="outcomes" reversed>
        {[...arriving, ...shown].map((outcome) => (
          <OutcomeRow
            key={outcome.number}
            outcome={outcome}
            isArriving={arriving.includes(outcome)}
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
