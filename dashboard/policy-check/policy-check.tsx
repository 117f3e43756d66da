import './policy-check.css'
import { useState } from 'preact/hooks'
import type { PolicyCheck as Checked, PolicyCheck } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { pausedText } from '../limits/limit-text.ts'
import { numberText } from '../parts/amounts.ts'
import { isPaused, loadLevel } from '../parts/bar.tsx'
import { useDraft } from '../parts/forms.tsx'
import { EmptyState, Notice } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { spanText } from '../parts/time.ts'
import { CheckForm, checkBodyOf, DEFAULT_CHECK } from './check-form.tsx'

/** Checks a request against the policies, which counts it. */
export const PolicyCheckView = () => {
  const { mayWrite } = useSession()
  return (
    <>
      <header class="view-head">
        <h1>Policy check</h1>
      </header>
      {mayWrite ? (
        <CheckPanel />
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

const CheckPanel = () => {
  const { api } = useSession()
  const [result, setResult] = useState<Checked | undefined>(undefined)
  const { fields, action } = useDraft(DEFAULT_CHECK, async (draft) => {
    setResult(await api.send<Checked>('POST', 'rate-limit/check', checkBodyOf(draft)))
  })
  const check = async () => {
    if (!(await action.run())) setResult(undefined)
  }
  return (
    <div class="columns">
      <CheckForm {...fields} onCheck={check} />
      <section class="card" aria-labelledby="check-result">
        <h2 id="check-result">Result</h2>
        <div aria-live="polite">
          {result === undefined ? (
            <EmptyState title="Nothing checked yet">
              Check a request to see which policies apply, and how much of each is used.
            </EmptyState>
          ) : (
            <CheckResult {...result} />
          )}
        </div>
      </section>
    </div>
  )
}

/** The result of a check. */
export const CheckResult = ({ allowed, cause, primary, policies, degraded }: PolicyCheck) => (
  <div class="check-result">
    <p class={`check-verdict ${allowed ? 'good' : 'bad'}`}>
      <span aria-hidden="true">{allowed ? '✓' : '✕'}</span>
      {allowed ? 'Request allowed' : 'Request blocked'}
    </p>
    {degraded && <p class="tag warn">Part of this was decided without the table, which was unavailable.</p>}
    {cause !== null && <Cause cause={cause} />}
    {primary !== null && <Primary allowed={allowed} {...primary} />}
    {allowed && primary === null && <p class="quiet">No policy applies to this request.</p>}
    {policies.length > 0 && <Fulfilled policies={policies} />}
  </div>
)

/** A window in whole minutes if possible, as in the API: `60 min`; otherwise `50 s`. */
const policyWindowText = (seconds: number): string =>
  seconds % MINUTE === 0 ? `${numberText(seconds / MINUTE)} min` : spanText(seconds)

const MINUTE = 60

/** The most specific cause first. */
const Cause = ({ cause }: { readonly cause: string }) => (
  <div class="check-cause">
    <h3>Cause</h3>
    {cause.split('; ').map((part) => (
      <p key={part}>{part}</p>
    ))}
  </div>
)

type PrimaryUse = NonNullable<PolicyCheck['primary']>

const Primary = ({
  allowed,
  label,
  count,
  limit,
  window_seconds,
  percent,
}: PrimaryUse & { readonly allowed: boolean }) => (
  <div class="check-primary">
    <h3>{allowed ? 'Primary usage' : 'What fails'}</h3>
    <div class="check-primary-numbers">
      <span>{label}</span>
      <strong class="number">
        {numberText(count)}/{numberText(limit)}
      </strong>
    </div>
    <div class={`bar ${loadLevel(limit - count, limit)}`} aria-hidden="true">
      <div class="bar-fill" style={{ transform: `scaleX(${percent / 100})` }} />
    </div>
    <p class="quiet number">
      {isPaused(limit)
        ? `paused: ${pausedText('requests')}`
        : `${percent}% used in the last ${spanText(window_seconds)}`}
    </p>
  </div>
)

const Fulfilled = ({ policies }: Pick<PolicyCheck, 'policies'>) => (
  <div class="check-fulfilled">
    <h3 id="check-fulfilled">Fulfilled policies</h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
    <section class="table-scroll" aria-labelledby="check-fulfilled" tabIndex={0}>
      <table aria-labelledby="check-fulfilled">
        <thead>
          <tr>
            <th scope="col">Policy</th>
            <th scope="col" class="number">
              Used
            </th>
            <th scope="col" class="number">
              Window
            </th>
          </tr>
        </thead>
        <tbody>
          {policies.map(({ label, count, limit, window_seconds }) => (
            <tr key={label}>
              <td>{label}</td>
              <td class="number">
                {numberText(count)}/{numberText(limit)}
              </td>
              <td class="number">{policyWindowText(window_seconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </div>
)
