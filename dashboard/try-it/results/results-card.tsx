import { useEffect, useState } from 'preact/hooks'
import { Empty } from '../../parts/empty.tsx'
import { numberText } from '../../parts/numbers/number-text.ts'
import type { Meters } from '../limits/ask-meters.ts'
import { countsText, MOST_KEPT, sumOf, type Tally } from '../running/tally.ts'
import type { Run } from '../running/use-run.ts'
import { DenialNotice } from './denial-notice.tsx'
import { OutcomeRow } from './outcome-row.tsx'

/** What came of the requests: how many, why not, and each of them. */
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
        <Empty title="Nothing sent yet">
          Send a request to see its status, time, headers, usage and body.
        </Empty>
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

/** As many as are shown before one asks for more. */
const SHOWN_FIRST = 20

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
        {(showsAll ? outcomes : outcomes.slice(0, SHOWN_FIRST)).map((outcome) => (
          <OutcomeRow
            key={outcome.number}
            outcome={outcome}
            isOpen={open === outcome.number}
            onToggle={() => setOpen(open === outcome.number ? undefined : outcome.number)}
          />
        ))}
      </ol>
      {outcomes.length > SHOWN_FIRST && (
        <button class="button small" type="button" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? `Show the newest ${SHOWN_FIRST}` : `Show all ${outcomes.length}`}
        </button>
      )}
      {sumOf(tally.counts) > MOST_KEPT && <p class="quiet">Only the last {MOST_KEPT} results are kept.</p>}
    </>
  )
}
