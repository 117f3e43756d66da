import './defaults.css'
import { useState } from 'preact/hooks'
import { type Condition, type Tagged, unchangedSince, withQuery } from '../api/api.ts'
import { useQuery } from '../api/hooks.ts'
import type { Defaults, Entities, Limit } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { type EditedSet, LimitEditor } from '../limits/limit-editor.tsx'
import { LimitList } from '../limits/limit-list.tsx'
import type { LimitInput } from '../limits/limit-text.ts'
import { ResourceChoice } from '../limits/resource-choice.tsx'
import { RowButton } from '../parts/controls.tsx'
import { TextField } from '../parts/fields.tsx'
import { checkId } from '../parts/name-rules.ts'
import { ErrorNotice, Notice } from '../parts/notices.tsx'
import { ModelsSection } from './models-section.tsx'
import { UpstreamsSection } from './upstreams-section.tsx'

export const DefaultsView = () => (
  <>
    <header class="view-head">
      <h1>Defaults</h1>
    </header>
    <DefaultLimits />
    <ModelsSection />
    <UpstreamsSection />
  </>
)

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

/** Adds a row for a role that no entity has yet. */
export const AddRole = ({ onRole }: { onRole(role: string): void }) => {
  const [role, setRole] = useState('')
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (role.trim() === '') return
    onRole(role.trim())
    setRole('')
  }
  return (
    <form class="add-role" onSubmit={submit}>
      <TextField label="Another role" value={role} required check={checkId} onValue={setRole} />
      <button class="button" type="submit">
        Show
      </button>
    </form>
  )
}

const MAX_ENTITIES_READ = 1000

/** The roles to show: the usual ones, those of the first entities, and those that were added here. */
export const useRoles = (added: readonly string[]): readonly string[] => {
  const { api } = useSession()
  const { data } = useQuery(
    (signal) => api.get<Entities>('api/entities', { limit: MAX_ENTITIES_READ }, signal),
    [],
  )
  return knownRoles(
    data?.items.map(({ role }) => role),
    added,
  )
}

/** Roles that are shown even if no entity has them. */
const USUAL_ROLES = ['admin', 'service', 'user']

/** The usual roles, those of entities and the added ones, without duplicates, by name. */
export const knownRoles = (
  ofEntities: readonly (string | null)[] = [],
  named: readonly string[] = [],
): readonly string[] =>
  [...new Set([...USUAL_ROLES, ...ofEntities.flatMap((role) => role ?? []), ...named])].toSorted()

interface DefaultsRowProps {
  /** Undefined for the defaults of everyone. */
  readonly role?: string
  readonly resource: string
}

/** The defaults of a role, or of everyone, for one resource: the limits set there, and the inherited ones. */
export const DefaultsRow = ({ role, resource }: DefaultsRowProps) => {
  const { api, mayWrite } = useSession()
  const [isEditing, setEditing] = useState(false)
  const [isSaved, setSaved] = useState(false)
  const { data, error, reload } = useQuery(
    (signal) => api.getTagged<Defaults>('api/defaults', { role, resource }, signal),
    [role, resource],
  )
  const title = role ?? 'Everyone'
  const finish = () => {
    setEditing(false)
    setSaved(true)
    reload()
  }
  return (
    <li class="defaults-row">
      <h3>{role === undefined ? title : <code>{role}</code>}</h3>
      <div class="defaults-limits">
        {data && <RowLimits defaults={data.body} />}
        <ErrorNotice error={error} />
        {isSaved && <Notice kind="success">Saved. The limits apply from the next request.</Notice>}
      </div>
      {mayWrite && data && (
        <RowButton action="Edit" name={`defaults of ${title}`} onClick={() => setEditing(true)} />
      )}
      {isEditing && data && (
        <EditDefaults tagged={data} title={title} onSaved={finish} onClose={() => setEditing(false)} />
      )}
    </li>
  )
}

const RowLimits = ({ defaults }: { readonly defaults: Defaults }) => {
  const own = ownLimits(defaults)
  const inherited = defaults.inherited.filter(({ name }) => !own.some((limit) => limit.name === name))
  return (
    <>
      {own.length > 0 && <LimitList limits={own} />}
      {own.length === 0 && inherited.length === 0 && <p class="quiet">Not limited.</p>}
      {inherited.length > 0 && (
        <div class="beneath">
          <LimitList limits={inherited} hasSources />
        </div>
      )}
    </>
  )
}

interface EditProps {
  readonly tagged: Tagged<Defaults>
  readonly title: string
  onSaved(): void
  onClose(): void
}

const editedSet = (tagged: Tagged<Defaults>): EditedSet => ({
  limits: ownLimits(tagged.body),
  inherited: tagged.body.inherited,
  condition: unchangedSince(tagged),
})

const EditDefaults = ({ tagged, title, onSaved, onClose }: EditProps) => {
  const { api } = useSession()
  const { role, resource } = tagged.body
  const path = withQuery('api/defaults', { resource, role: role ?? undefined })
  const save = (limits: readonly LimitInput[], condition: Condition) =>
    api.send('PUT', path, { limits }, condition)
  return (
    <LimitEditor
      title={`Defaults of ${title} ${onResourceText(resource)}`}
      set={editedSet(tagged)}
      read={async () => editedSet(await api.getTagged<Defaults>(path))}
      save={save}
      onSaved={onSaved}
      onClose={onClose}
    />
  )
}

const ENVIRONMENT = 'environment'

/** The limits set here, without those of the environment. */
export const ownLimits = ({ limits }: Pick<Defaults, 'limits'>): readonly Limit[] =>
  limits.filter(({ source }) => source !== ENVIRONMENT)

/** The resource in a title: `on gpt-4`. */
export const onResourceText = (resource: string): string =>
  resource === '_default_' ? 'for each resource' : `on ${resource}`
