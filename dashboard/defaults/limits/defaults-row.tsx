import { useState } from 'preact/hooks'
import type { Defaults } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import type { LimitInput } from '../../limits/limit-draft.ts'
import { LimitEditor } from '../../limits/limit-editor.tsx'
import { LimitList } from '../../limits/showing/limit-list.tsx'
import { ErrorNotice, Notice } from '../../parts/notice.tsx'
import { onResourceText, ownLimits } from './own-limits.ts'

interface Props {
  /** Undefined: everyone's. */
  readonly role?: string
  readonly resource: string
}

/** The defaults of a role, or of the system, for one resource: what is set, and what holds where nothing is. */
export const DefaultsRow = ({ role, resource }: Props) => {
  const { api, mayWrite } = useSession()
  const [isEditing, setEditing] = useState(false)
  const [isSaved, setSaved] = useState(false)
  const { data, error, reload } = useAnswer(
    (signal) => api.get<Defaults>('api/defaults', { role, resource }, signal),
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
        {data && <Shown defaults={data} />}
        <ErrorNotice error={error} />
        {isSaved && <Notice kind="success">Saved. The limits apply from the next request.</Notice>}
      </div>
      {mayWrite && data && (
        <button
          class="button small"
          type="button"
          aria-label={`Edit defaults of ${title}`}
          onClick={() => setEditing(true)}
        >
          Edit
        </button>
      )}
      {isEditing && data && (
        <EditDefaults defaults={data} title={title} onSaved={finish} onClose={() => setEditing(false)} />
      )}
    </li>
  )
}

const Shown = ({ defaults }: { readonly defaults: Defaults }) => {
  const own = ownLimits(defaults)
  const beneath = defaults.inherited.filter(({ name }) => !own.some((limit) => limit.name === name))
  return (
    <>
      {own.length > 0 && <LimitList limits={own} />}
      {own.length === 0 && beneath.length === 0 && <p class="quiet">Not limited.</p>}
      {beneath.length > 0 && (
        <div class="beneath">
          <LimitList limits={beneath} hasSources />
        </div>
      )}
    </>
  )
}

interface EditProps {
  readonly defaults: Defaults
  readonly title: string
  onSaved(): void
  onClose(): void
}

const EditDefaults = ({ defaults, title, onSaved, onClose }: EditProps) => {
  const { api } = useSession()
  const { role, resource, inherited } = defaults
  const query = new URLSearchParams({ resource, ...(role !== null && { role }) })
  const save = (limits: readonly LimitInput[]) => api.send('PUT', `api/defaults?${query}`, { limits })
  return (
    <LimitEditor
      title={`Defaults of ${title} ${onResourceText(resource)}`}
      limits={ownLimits(defaults)}
      inherited={inherited}
      save={save}
      onSaved={onSaved}
      onClose={onClose}
    />
  )
}
