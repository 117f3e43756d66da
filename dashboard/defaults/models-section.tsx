import { useModels } from '../api/hooks.ts'
import type { Model } from '../api/responses.ts'
import { type ItemRowProps, ItemSection } from '../parts/item-section.tsx'
import { EmptyState, NextStep } from '../parts/notices.tsx'
import { ModelForm } from './model-form.tsx'
import { pricesText, weightsText } from './model-prices.ts'

/** The registered models, each with its own buckets, and their prices. */
export const ModelsSection = () => (
  <ItemSection
    collection="models"
    title="Models"
    note={
      <>
        Each registered model is limited separately; all other models share the limits of <code>_other_</code>
        . Prices are in US dollars per million tokens.
      </>
    }
    add="Register a model"
    query={useModels()}
    nameOf={({ model_id }) => model_id}
    empty={<NoModels />}
    Row={ModelRow}
    Form={ModelForm}
    removal={
      <>
        Its requests then share the limits of <code>_other_</code>, unless an entity has limits for it.
        Policies for the model or its tier no longer apply, and without prices no budget is charged.
      </>
    }
  />
)

const NoModels = () => (
  <EmptyState title="No models yet">
    <p>All models share the limits of _other_, and no policy for a model or a tier applies.</p>
    <NextStep
      writer="Select “Register a model” to limit a model separately."
      viewer="An administrator can register models."
    />
  </EmptyState>
)

const ModelRow = ({ item: model, actions }: ItemRowProps<Model>) => {
  const { model_id: id, tier, prices, upstreams } = model
  const weights = weightsText(model.token_weights)
  return (
    <li class="model">
      <strong class="model-id">{id}</strong>
      <span>{tier === null ? <span class="quiet">no tier</span> : <span class="tag">{tier}</span>}</span>
      <div class="item-facts">
        <span class={prices === null ? 'quiet' : 'number'}>{pricesText(prices)}</span>
        {weights !== undefined && <span class="quiet">tokens: {weights}</span>}
        {upstreams.length > 0 && (
          <span class="quiet">{upstreams.map(({ upstream }) => upstream).join(', then ')}</span>
        )}
      </div>
      {actions}
    </li>
  )
}
