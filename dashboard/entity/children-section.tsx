import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery } from '../api/hooks.ts'
import type { Children } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { EmptyState, ErrorNotice, NextStep } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { CreateEntity } from './entity-form.tsx'

/** The children of an entity. */
export const ChildrenSection = ({ entityId }: { readonly entityId: string }) => {
  const { api, mayWrite } = useSession()
  const [isCreating, setCreating] = useState(false)
  const result = useQuery(
    (signal) => api.get<Children>(pathOf('api/entities', entityId, 'children'), {}, signal),
    [entityId],
  )
  const show = (id: string) => {
    location.hash = hrefOf({ view: 'entity', id })
  }
  return (
    <section class="card" aria-label="Children">
      <div class="card-head">
        <h2>Children</h2>
        {mayWrite && (
          <button class="button" type="button" onClick={() => setCreating(true)}>
            Add a child
          </button>
        )}
      </div>
      <ErrorNotice error={result.error} />
      {!result.data && !result.error && <p class="quiet">Loading…</p>}
      {result.data && <ChildLinks ids={result.data.children} />}
      {isCreating && <CreateEntity parentId={entityId} onCreated={show} onClose={() => setCreating(false)} />}
    </section>
  )
}

const ChildLinks = ({ ids }: { readonly ids: readonly string[] }) => {
  if (ids.length === 0)
    return (
      <EmptyState title="No children yet">
        <p>Requests of a child also count against the limits of this entity.</p>
        <NextStep writer="Select “Add a child” to create one." viewer="An administrator can add one." />
      </EmptyState>
    )
  return (
    <ul class="child-links">
      {ids.map((id) => (
        <li key={id}>
          <a href={hrefOf({ view: 'entity', id })}>{id}</a>
        </li>
      ))}
    </ul>
  )
}
