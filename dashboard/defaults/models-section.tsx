import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery } from '../api/hooks.ts'
import type { Model, Models } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { DoneNotice, EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { ModelForm } from './model-form.tsx'
import { pricesText, weightsText } from './model-prices.ts'

type Task =
  | { readonly kind: 'edit'; readonly model: Model | undefined }
  | { readonly kind: 'remove'; readonly model: Model }

/** The registered models, each with its own buckets, and their prices. */
export const ModelsSection = () => {
  const { api, mayWrite } = useSession()
  const { data, error, reload } = useQuery((signal) => api.get<Models>('api/models', {}, signal), [])
  const [task, setTask] = useState<Task | undefined>(undefined)
  const [removed, setRemoved] = useState<string | undefined>(undefined)
  const begin = (next: Task) => {
    setRemoved(undefined)
    setTask(next)
  }
  const finish = () => {
    if (task?.kind === 'remove') setRemoved(task.model.model_id)
    setTask(undefined)
    reload()
  }
  return (
    <section class="card" aria-labelledby="models-title">
      <div>
        <div class="card-head">
          <h2 id="models-title">Models</h2>
          {mayWrite && (
            <button class="button" type="button" onClick={() => begin({ kind: 'edit', model: undefined })}>
              Register a model
            </button>
          )}
        </div>
        <p class="quiet">
          Each registered model is limited separately; all other models share the limits of{' '}
          <code>_other_</code>. Prices are in US dollars per million tokens.
        </p>
      </div>
      {removed !== undefined && <DoneNotice text={`${removed} is removed.`} takesFocus />}
      <ErrorNotice error={error} />
      {data?.items.length === 0 && <NoModels />}
      {data && data.items.length > 0 && (
        <ModelList
          models={data.items}
          onEdit={(model) => begin({ kind: 'edit', model })}
          onRemove={(model) => begin({ kind: 'remove', model })}
        />
      )}
      {task && (
        <ModelTask
          task={task}
          models={data?.items ?? []}
          onDone={finish}
          onClose={() => setTask(undefined)}
        />
      )}
    </section>
  )
}

const NoModels = () => {
  const { mayWrite } = useSession()
  return (
    <EmptyState title="No models yet">
      <p>All models share the limits of _other_, and no policy for a model or a tier applies.</p>
      <p>
        {mayWrite
          ? 'Select “Register a model” to limit a model separately.'
          : 'An administrator can register models.'}
      </p>
    </EmptyState>
  )
}

interface TaskProps {
  readonly task: Task
  readonly models: readonly Model[]
  onDone(): void
  onClose(): void
}

const ModelTask = ({ task, models, onDone, onClose }: TaskProps) => {
  const { api } = useSession()
  const tiers = [...new Set(models.flatMap(({ tier }) => tier ?? []))].toSorted()
  if (task.kind === 'edit')
    return <ModelForm model={task.model} tiers={tiers} onSaved={onDone} onClose={onClose} />
  const { model_id: id } = task.model
  return (
    <Confirm
      title={`Remove ${id}?`}
      action={`Remove ${id}`}
      act={() => api.send('DELETE', pathOf('api/models', id))}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        Its requests then share the limits of <code>_other_</code>, unless an entity has limits for it.
        Policies for the model or its tier no longer apply, and without prices no budget is charged.
      </p>
    </Confirm>
  )
}

interface Changes {
  onEdit(model: Model): void
  onRemove(model: Model): void
}

interface ModelListProps extends Changes {
  readonly models: readonly Model[]
}

/** Registered models with their tiers and prices. */
export const ModelList = ({ models, ...changes }: ModelListProps) => (
  <ul class="models" aria-labelledby="models-title">
    {models.map((model) => (
      <ModelRow key={model.model_id} model={model} {...changes} />
    ))}
  </ul>
)

const ModelRow = ({ model, onEdit, onRemove }: Changes & { readonly model: Model }) => {
  const { mayWrite } = useSession()
  const { model_id: id, tier, prices, upstreams } = model
  const weights = weightsText(model.token_weights)
  return (
    <li class="model">
      <strong class="model-id">{id}</strong>
      <span>{tier === null ? <span class="quiet">no tier</span> : <span class="tag">{tier}</span>}</span>
      <div class="upstream-facts">
        <span class={prices === null ? 'quiet' : 'number'}>{pricesText(prices)}</span>
        {weights !== undefined && <span class="quiet">tokens: {weights}</span>}
        {upstreams.length > 0 && (
          <span class="quiet">{upstreams.map(({ upstream }) => upstream).join(', then ')}</span>
        )}
      </div>
      {mayWrite && (
        <div class="actions">
          <button class="button small" type="button" onClick={() => onEdit(model)} aria-label={`Edit ${id}`}>
            Edit
          </button>
          <button
            class="button small danger"
            type="button"
            onClick={() => onRemove(model)}
            aria-label={`Remove ${id}`}
          >
            Remove
          </button>
        </div>
      )}
    </li>
  )
}
