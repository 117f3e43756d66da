import './my-quota.css'
import { useState } from 'preact/hooks'
import type { Api } from '../api/api.ts'
import { useQuery, useRefresh } from '../api/hooks.ts'
import type { OwnLimits, OwnModels, Usage } from '../api/responses.ts'
import { RemainingLimits } from '../limits/remaining-limits.tsx'
import { ChoiceField } from '../parts/fields.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { UsagePanel } from '../usage/usage-panel.tsx'
import { DEFAULT_RESOURCE, groupsOf, type LimitGroup } from './limit-groups.ts'

interface MyQuotaProps {
  readonly api: Api
  readonly entityId: string
}

/** The API answers the same question from memory for a second, and about usage for ten. */
const LIMITS_REFRESH_MS = 2000
const USAGE_REFRESH_MS = 15_000

/** What is left of the limits of a key, when they refill, and what was used. */
export const MyQuota = ({ api, entityId }: MyQuotaProps) => (
  <>
    <header class="view-head">
      <h1>My quota</h1>
      <span class="tag mono my-entity">{entityId}</span>
    </header>
    <MyLimits api={api} entityId={entityId} />
    <UsagePanel
      entityId={entityId}
      refreshMs={USAGE_REFRESH_MS}
      read={(granularity, signal) => api.get<Usage>('v1/usage', { granularity }, signal)}
    >
      <p>Requests are counted here a few seconds after they end.</p>
    </UsagePanel>
  </>
)

const MyLimits = ({ api, entityId }: MyQuotaProps) => {
  const models = useQuery((signal) => api.get<OwnModels>('v1/models', {}, signal), [])
  const ids = models.data?.data.map(({ id }) => id).toSorted() ?? []
  const [chosen, setChosen] = useState<string | undefined>(undefined)
  const resource = chosen ?? ids[0] ?? DEFAULT_RESOURCE
  const isReady = models.data !== undefined || models.error !== undefined
  return (
    <section class="card" aria-label="Limits">
      <div class="card-head">
        <h2>What is left</h2>
        <ChoiceField
          label="Model"
          value={resource}
          options={[...ids, [DEFAULT_RESOURCE, 'Other use (no model)']]}
          onValue={setChosen}
        />
      </div>
      {isReady ? (
        <LimitsOn key={resource} api={api} entityId={entityId} resource={resource} />
      ) : (
        <p class="quiet">Loading…</p>
      )}
    </section>
  )
}

const LimitsOn = ({ api, entityId, resource }: MyQuotaProps & { readonly resource: string }) => {
  const result = useQuery((signal) => api.get<OwnLimits>('v1/limits', { resource }, signal), [resource])
  useRefresh(result, LIMITS_REFRESH_MS)
  const { data, error } = result
  if (data === undefined)
    return error === undefined ? <p class="quiet">Loading…</p> : <ErrorNotice error={error} />
  const groups = groupsOf(data.limits, entityId)
  return (
    <>
      <ErrorNotice error={error} />
      {groups.length === 0 && (
        <EmptyState title="There is no limit">
          <p>Requests with this key are counted, and not limited.</p>
        </EmptyState>
      )}
      <div class="my-limits">
        {groups.map((group) => (
          <Group key={group.key} group={group} />
        ))}
      </div>
    </>
  )
}

const Group = ({ group: { title, note, limits } }: { readonly group: LimitGroup }) => (
  <section class="my-limit-group">
    <h3>{title}</h3>
    {note !== undefined && <p class="quiet small">{note}</p>}
    <RemainingLimits limits={limits} />
  </section>
)
