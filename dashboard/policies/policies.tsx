import './policies.css'
import type { ComponentProps } from 'preact'
import { useState } from 'preact/hooks'
import type { Api } from '../api/api.ts'
import { type QueryResult, useQuery } from '../api/hooks.ts'
import type { Policies, Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { numberText } from '../parts/amounts.ts'
import { TextField } from '../parts/fields.tsx'
import { DoneNotice, EmptyState, ErrorNotice, NextStep, Notice } from '../parts/notices.tsx'
import { keyOf } from '../parts/policy-key.ts'
import { PolicyDialog, type PolicyTask } from './policy-dialogs.tsx'
import { groupPolicies, ScopeCard } from './scope-card.tsx'

export const PoliciesView = () => {
  const { mayWrite } = useSession()
  const { data, error, isLoading, reload } = usePolicies()
  const [task, setTask] = useState<PolicyTask | undefined>(undefined)
  const [done, setDone] = useState<ComponentProps<typeof DoneNotice> | undefined>(undefined)
  const begin = (next: PolicyTask) => {
    setDone(undefined)
    setTask(next)
  }
  const finish = (text: string) => {
    setTask(undefined)
    setDone({ text, takesFocus: task?.kind === 'delete' })
    reload()
  }
  return (
    <>
      <header class="view-head">
        <h1>Policies</h1>
        {mayWrite && (
          <button class="button primary" type="button" onClick={() => begin({ kind: 'choose' })}>
            New policy
          </button>
        )}
      </header>
      <p class="quiet policies-note">
        A request must pass every policy that applies to it, as well as the limits of its entity. All requests
        that a policy applies to share its limits, on every resource; each user and each session has limits of
        its own. A denial names the most specific policy.
      </p>
      {done !== undefined && <DoneNotice {...done} />}
      <ErrorNotice error={error} />
      {data === undefined && isLoading && <p class="quiet policies-place">Loading…</p>}
      {data !== undefined && <PolicyGroups all={data} onTask={begin} />}
      {task !== undefined && (
        <PolicyDialog task={task} onTask={setTask} onDone={finish} onClose={() => setTask(undefined)} />
      )}
    </>
  )
}

interface GroupsProps {
  readonly all: AllPolicies
  onTask(task: PolicyTask): void
}

const PolicyGroups = ({ all: { policies, isPartial }, onTask }: GroupsProps) => {
  const [search, setSearch] = useState('')
  if (policies.length === 0) return <NoPolicies />
  const groups = groupPolicies(policies, search)
  const edit = (policy: Policy) => onTask({ kind: 'edit', key: keyOf(policy), existing: policy })
  return (
    <>
      <div class="policies-search">
        <TextField label="Search" value={search} placeholder="acme, gpt-4o, rph" onValue={setSearch} />
      </div>
      {isPartial && (
        <Notice kind="info">Only the first {numberText(policies.length)} policies are shown.</Notice>
      )}
      {groups.length === 0 && (
        <section class="card">
          <EmptyState title={`No policy or limit has a name with “${search.trim()}”`}>
            <button class="button" type="button" onClick={() => setSearch('')}>
              Show all
            </button>
          </EmptyState>
        </section>
      )}
      {groups.map((group) => (
        <ScopeCard
          key={group.scope}
          group={group}
          onLookUp={(scope) => onTask({ kind: 'look-up', scope })}
          onEdit={edit}
          onReset={(policy) => onTask({ kind: 'reset', policy })}
          onDelete={(policy) => onTask({ kind: 'delete', policy })}
        />
      ))}
    </>
  )
}

const NoPolicies = () => (
  <section class="card">
    <EmptyState title="There are no policies yet">
      <NextStep
        writer="Select “New policy” to limit a tenant, a model, a tier or everyone."
        viewer="An administrator can create one for a tenant, a model, a tier or everyone."
      />
    </EmptyState>
  </section>
)

export interface AllPolicies {
  readonly policies: readonly Policy[]
  /** Whether there are more policies than were read. */
  readonly isPartial: boolean
}

const PER_PAGE = 1000
const MAX_PAGES = 5

/** All policies, up to a bound, read page by page. */
export const usePolicies = (): QueryResult<AllPolicies> => {
  const { api } = useSession()
  return useQuery((signal) => readAll(api, signal), [])
}

const readAll = async (api: Api, signal: AbortSignal): Promise<AllPolicies> => {
  const policies: Policy[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await api.get<Policies>('api/policies', { limit: PER_PAGE, cursor }, signal)
    policies.push(...page.items)
    if (page.next_cursor === null) return { policies, isPartial: false }
    cursor = page.next_cursor
  }
  return { policies, isPartial: true }
}
