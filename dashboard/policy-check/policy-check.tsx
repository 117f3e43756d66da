import './policy-check.css'
import { useState } from 'preact/hooks'
import type { PolicyCheck as Checked } from '../api/answers.ts'
import { useSession } from '../api/session.tsx'
import { useAction } from '../api/use-action.ts'
import { Empty } from '../parts/empty.tsx'
import { Notice } from '../parts/notice.tsx'
import { hrefOf } from '../shell/route.ts'
import { type CheckDraft, checkBodyOf, DEFAULT_CHECK } from './check-draft.ts'
import { CheckForm } from './check-form.tsx'
import { CheckResult } from './check-result.tsx'

/** Asks the policies about a request, and counts it. */
export const PolicyCheck = () => {
  const { mayWrite } = useSession()
  return (
    <>
      <header class="view-head">
        <h1>Policy check</h1>
      </header>
      {mayWrite ? (
        <Checking />
      ) : (
        <Notice kind="info">
          A check counts one request against every policy that applies, and the viewer token can only read.
          Sign in with the admin token to check, or look at{' '}
          <a href={hrefOf({ view: 'policies' })}>the policies themselves</a>.
        </Notice>
      )}
    </>
  )
}

const Checking = () => {
  const { api } = useSession()
  const [draft, setDraft] = useState(DEFAULT_CHECK)
  const [answer, setAnswer] = useState<Checked | undefined>(undefined)
  const checking = useAction(async (asked: CheckDraft) => {
    setAnswer(await api.send<Checked>('POST', 'rate-limit/check', checkBodyOf(asked)))
  })
  const check = async () => {
    if (!(await checking.run(draft))) setAnswer(undefined)
  }
  return (
    <div class="columns">
      <CheckForm
        draft={draft}
        error={checking.error}
        change={(fields) => {
          setDraft({ ...draft, ...fields })
          checking.clear()
        }}
        onCheck={check}
      />
      <section class="card" aria-labelledby="check-result">
        <h2 id="check-result">Result</h2>
        <div aria-live="polite">
          {answer === undefined ? (
            <Empty title="Nothing checked yet">
              Check a request to see which policies apply, and how much of each is used.
            </Empty>
          ) : (
            <CheckResult {...answer} />
          )}
        </div>
      </section>
    </div>
  )
}
