import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery, useRefresh } from '../api/hooks.ts'
import type { Upstream, Upstreams } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { DoneNotice, EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { momentText } from '../parts/time.ts'
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

const NoUpstreams = () => (
  <EmptyState title="No upstreams yet">
    <p>The simulated model answers all requests.</p>
  </EmptyState>
)

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
        {stateTexts(upstream).map((text) => (
          <span key={text} class="quiet">
            {text}
          </span>
        ))}
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
      {source === 'environment' && <span class="quiet">UPSTREAM_BASE_URL</span>}
    </li>
  )
}

/** `https://api.openai.com/v1`; for Bedrock its region. */
export const addressOf = ({ kind, base_url, region }: Upstream): string => {
  if (base_url !== null) return base_url
  if (kind === 'simulated') return 'answers by itself'
  return region ?? 'the region of zael'
}

/** `gpt-4 rests until 10:00:30: 503`, a line for each model that has failed; one line if none has. */
export const stateTexts = ({ models }: Upstream): readonly string[] =>
  models.length === 0
    ? ['no failures lately']
    : models.map(({ model, rests_until, last_failure }) => {
        const cause = last_failure === null ? '' : `: ${last_failure.cause}`
        if (rests_until !== null) return `${model} rests until ${momentText(rests_until)}${cause}`
        return last_failure === null
          ? `${model} works`
          : `${model} failed ${momentText(last_failure.at)}${cause}`
      })
