import { useState } from 'preact/hooks'
import type { Availability, Entity } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { ResourceChoice } from '../../limits/resource-choice.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { WaitTimeCalculator } from '../wait-time/wait-time.tsx'
import { LimitsInForce } from './limits-in-force.tsx'

/** What limits an entity, by resource: first the one that has the least left. */
export const LimitsSection = ({ entity }: { readonly entity: Entity }) => {
  const { api } = useSession()
  const { entity_id: id } = entity
  const scarcest = useAnswer(
    (signal) => api.get<Availability>(pathOf('api/dashboard/availability', id), {}, signal),
    [id],
  )
  const [chosen, setChosen] = useState<string | undefined>(undefined)
  const resource = chosen ?? scarcest.data?.resource
  if (resource === undefined)
    return scarcest.error ? <ErrorNotice error={scarcest.error} /> : <p class="quiet">Loading…</p>
  return (
    <>
      <ResourceChoice resource={resource} onResource={setChosen} />
      <LimitsInForce key={resource} entity={entity} resource={resource} />
      <WaitTimeCalculator entityId={id} resource={resource} />
    </>
  )
}
