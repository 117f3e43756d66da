import type { Model } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { pricesText } from './model-draft.ts'

interface Changes {
  onEdit(model: Model): void
  onRemove(model: Model): void
}

interface Props extends Changes {
  readonly models: readonly Model[]
}

/** Registered models with their tiers and prices. */
export const ModelList = ({ models, ...changes }: Props) => (
  <ul class="models" aria-labelledby="models-title">
    {models.map((model) => (
      <ModelRow key={model.model_id} model={model} {...changes} />
    ))}
  </ul>
)

const ModelRow = ({ model, onEdit, onRemove }: Changes & { readonly model: Model }) => {
  const { mayWrite } = useSession()
  const { model_id: id, tier, prices } = model
  return (
    <li class="model">
      <strong class="model-id">{id}</strong>
      <span>{tier === null ? <span class="quiet">no tier</span> : <span class="tag">{tier}</span>}</span>
      <span class={prices === null ? 'quiet' : 'number'}>{pricesText(prices)}</span>
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
