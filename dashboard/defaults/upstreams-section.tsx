import { useMemo, useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery, useRefresh } from '../api/hooks.ts'
import type { Upstream, Upstreams } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { useCountdown } from '../parts/countdown.ts'
import { Confirm } from '../parts/dialog.tsx'
import { DoneNotice, EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { momentText, spanText } from '../parts/time.ts'
import { UpstreamForm } from './upstream-form.tsx'

type Task =
  | { readonly kind: 'edit'; readonly upstream: Upstream | undefined }
  | { readonly kind: 'remove'; readonly upstream: Upstream }

const REFRESH_MS = 10_000

/** The configured upstreams and their states in the process that responds. */
export const UpstreamsSection = () => {
  const { api, mayWrite } = useSession()
  const query = useQuery((signal) => api.get<Upstreams>('api/upstreams', {}, signal), [])
  useRefresh(query, REFRESH_MS)
  const { data, error, reload } = query
  const [task, setTask] = useState<Task | undefined>(undefined)
  const [removed, setRemoved] = useState<string | undefined>(undefined)
  const begin = (next: Task) => {
    setRemoved(undefined)
    setTask(next)
  }
  const finish = () => {
    if (task?.kind === 'remove') setRemoved(task.upstream.name)
    setTask(undefined)
    reload()
  }
  return (
    <section class="card" aria-labelledby="upstreams-title">
      <div>
        <div class="card-head">
          <h2 id="upstreams-title">Upstreams</h2>
          {mayWrite && (
            <button class="button" type="button" onClick={() => begin({ kind: 'edit', upstream: undefined })}>
              Add an upstream
            </button>
          )}
        </div>
        <p class="quiet">
          The APIs that serve models. A model that names none uses <code>default</code>, and is unavailable
          without it. After failures, a model rests at an upstream for 30 seconds, in each process by itself.
        </p>
      </div>
      {removed !== undefined && <DoneNotice text={`${removed} is removed.`} takesFocus />}
      <ErrorNotice error={error} />
      {data?.items.length === 0 && <NoUpstreams />}
      {data && data.items.length > 0 && (
        <UpstreamList
          upstreams={data.items}
          onEdit={(upstream) => begin({ kind: 'edit', upstream })}
          onRemove={(upstream) => begin({ kind: 'remove', upstream })}
        />
      )}
      {task && <UpstreamTask task={task} onDone={finish} onClose={() => setTask(undefined)} />}
    </section>
  )
}

const NoUpstreams = () => {
  const { mayWrite } = useSession()
  return (
    <EmptyState title="No upstreams yet">
      <p>The simulated model answers all requests.</p>
      <p>
        {mayWrite
          ? 'Select “Add an upstream” to send requests to a provider.'
          : 'An administrator can add upstreams.'}
      </p>
    </EmptyState>
  )
}

interface TaskProps {
  readonly task: Task
  onDone(): void
  onClose(): void
}

const UpstreamTask = ({ task, onDone, onClose }: TaskProps) => {
  const { api } = useSession()
  if (task.kind === 'edit')
    return <UpstreamForm upstream={task.upstream} onSaved={onDone} onClose={onClose} />
  const { name } = task.upstream
  return (
    <Confirm
      title={`Remove ${name}?`}
      action={`Remove ${name}`}
      act={() => api.send('DELETE', pathOf('api/upstreams', name))}
      onDone={onDone}
      onClose={onClose}
    >
      <p>Requests in progress end as they would. An upstream that a model names cannot be removed.</p>
    </Confirm>
  )
}

interface Changes {
  onEdit(upstream: Upstream): void
  onRemove(upstream: Upstream): void
}

const UpstreamList = ({ upstreams, ...changes }: Changes & { readonly upstreams: readonly Upstream[] }) => (
  <ul class="models" aria-labelledby="upstreams-title">
    {upstreams.map((upstream) => (
      <UpstreamRow key={upstream.name} upstream={upstream} {...changes} />
    ))}
  </ul>
)

const UpstreamRow = ({ upstream, onEdit, onRemove }: Changes & { readonly upstream: Upstream }) => {
  const { mayWrite } = useSession()
  const { name, kind, source } = upstream
  return (
    <li class="model">
      <strong class="model-id">{name}</strong>
      <span>
        <span class="tag">{kind}</span>
      </span>
      <div class="upstream-facts">
        <span>{addressOf(upstream)}</span>
        {upstream.secret !== null && <code>{upstream.secret}</code>}
        {upstream.adaptive !== null && (
          <span class="quiet">adaptive, at least {factorText(upstream.adaptive.floor)}</span>
        )}
        <ModelStates models={upstream.models} />
      </div>
      {mayWrite && source === 'table' && (
        <div class="actions">
          <button
            class="button small"
            type="button"
            onClick={() => onEdit(upstream)}
            aria-label={`Edit ${name}`}
          >
            Edit
          </button>
          <button
            class="button small danger"
            type="button"
            onClick={() => onRemove(upstream)}
            aria-label={`Remove ${name}`}
          >
            Remove
          </button>
        </div>
      )}
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
  `${Math.max(1, Math.floor(factor * 100))} % of the limits`

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
