import { useState } from 'preact/hooks'
import { ResourceChoice } from '../../limits/resource-choice.tsx'
import { AddRole } from './add-role.tsx'
import { DefaultsRow } from './defaults-row.tsx'
import { useRoles } from './use-roles.ts'

/** The default limits of everyone and of each role. */
export const DefaultLimits = () => {
  const [resource, setResource] = useState('_default_')
  const [added, setAdded] = useState<readonly string[]>([])
  const roles = useRoles(added)
  return (
    <section class="card" aria-labelledby="default-limits-title">
      <div>
        <h2 id="default-limits-title">Limits</h2>
        <p class="quiet">
          They apply to entities without a limit of that name: first the defaults of the role, then those of
          everyone, then those of the environment.
        </p>
      </div>
      <ResourceChoice resource={resource} onResource={setResource} />
      <ul class="defaults">
        <DefaultsRow key={resource} resource={resource} />
        {roles.map((role) => (
          <DefaultsRow key={`${role} ${resource}`} role={role} resource={resource} />
        ))}
      </ul>
      <AddRole onRole={(role) => setAdded([...added, role])} />
    </section>
  )
}
