import { useMemo } from 'preact/hooks'
import { useQuery, useRefresh } from '../api/hooks.ts'
import type { Upstream, Upstreams } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { percentText } from '../parts/amounts.ts'
import { useCountdown } from '../parts/countdown.ts'
import { type ItemRowProps, ItemSection } from '../parts/item-section.tsx'
import { EmptyState, NextStep } from '../parts/notices.tsx'
import { momentText, spanText } from '../parts/time.ts'
import { UpstreamForm } from './upstream-form.tsx'

const REFRESH_MS = 10_000

/** The configured upstreams and their states in the process that responds. */
export const UpstreamsSection = () => {
  const { api } = useSession()
  const query = useQuery((signal) => api.get<Upstreams>('api/upstreams', {}, signal), [])
  useRefresh(query, REFRESH_MS)
  return (
    <ItemSection
      collection="upstreams"
      title="Upstreams"
      note={
        <>
          The APIs that serve models. A model that names none uses <code>default</code>, and is unavailable
          without it. After failures, a model rests at an upstream for 30 seconds, in each process by itself.
        </>
      }
      add="Add an upstream"
      query={query}
      nameOf={({ name }) => name}
      empty={<NoUpstreams />}
      Row={UpstreamRow}
      Form={UpstreamForm}
      removal="Requests in progress end as they would. An upstream that a model names cannot be removed."
    />
  )
}

const NoUpstreams = () => (
  <EmptyState title="No upstreams yet">
    <p>The simulated model answers all requests.</p>
    <NextStep
      writer="Select “Add an upstream” to send requests to a provider."
      viewer="An administrator can add upstreams."
    />
  </EmptyState>
)

const UpstreamRow = ({ item: upstream, actions }: ItemRowProps<Upstream>) => {
  const { name, kind, source } = upstream
  return (
    <li class="model">
      <strong class="model-id">{name}</strong>
      <span>
        <span class="tag">{kind}</span>
      </span>
      <div class="item-facts">
        <span>{addressOf(upstream)}</span>
        {upstream.secret !== null && <code>{upstream.secret}</code>}
        {upstream.adaptive !== null && (
          <span class="quiet">adaptive, at least {factorText(upstream.adaptive.floor)}</span>
        )}
        <ModelStates models={upstream.models} />
      </div>
      {source === 'table' && actions}
      {source === 'environment' && (
        <span class="quiet">
          set by <code>UPSTREAM_BASE_URL</code>
        </span>
      )}
    </li>
  )
}

/** `https://api.openai.com/v1`; for Bedrock its region. */
export const addressOf = ({ kind, base_url, region }: Upstream): string => {
  if (base_url !== null) return base_url
  if (kind === 'simulated') return 'answers by itself'
  return region ?? 'the region of zael'
}

type ModelState = Upstream['models'][number]

/** The models that have failed at an upstream lately; one line if none has. */
const ModelStates = ({ models }: Pick<Upstream, 'models'>) =>
  models.length === 0 ? (
    <span class="quiet">no failures lately</span>
  ) : (
    models.map((state) => (
      <span key={state.model} class="quiet">
        {state.factor < 1 && (
          <>
            <span class="tag warn">{factorText(state.factor)}</span>{' '}
          </>
        )}
        {state.rests_until === null ? failureText(state) : <Rest {...state} until={state.rests_until} />}
      </span>
    ))
  )

/** `35 % of the limits` */
export const factorText = (factor: number): string =>
  `${percentText(Math.max(1, Math.floor(factor * 100)))} of the limits`

/** A rest with the time left, by the clock of the browser. */
const Rest = ({ model, last_failure, until }: ModelState & { readonly until: number }) => {
  const endsAtMs = useMemo(() => performance.now() + until * 1000 - Date.now(), [until])
  const seconds = useCountdown(endsAtMs)
  return (
    <>
      <span class="tag warn">resting</span> {restText(model, seconds, last_failure?.cause)}
    </>
  )
}

const CAUSES: Readonly<Record<string, string>> = {
  connect: 'a failed connection',
  reset: 'a broken connection',
  connect_timeout: 'a connect timeout',
  first_byte: 'a first byte timeout',
  idle: 'a silence timeout',
  total: 'a total timeout',
  credentials: 'a failure to read its credentials',
}

/** A broken exchange in words; a status as it is. */
export const causeText = (cause: string): string => CAUSES[cause] ?? cause

/** `gpt-4 after 503, 12 s left` */
export const restText = (model: string, seconds: number, cause: string | undefined): string =>
  [
    cause === undefined ? model : `${model} after ${causeText(cause)}`,
    seconds === 0 ? 'tried again at the next request' : `${spanText(seconds)} left`,
  ].join(', ')

/** `gpt-4 failed 30 Nov 2026, 10:00:30: 503` */
export const failureText = ({ model, last_failure }: ModelState): string =>
  last_failure === null
    ? `${model} works`
    : `${model} failed ${momentText(last_failure.at)}: ${causeText(last_failure.cause)}`
