import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { Entity } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { CheckField, ChoiceField, EntityField, RequiredNote, TextField } from '../parts/fields.tsx'
import { FormDialog } from '../parts/forms.tsx'
import { checkId, checkModelIds, checkName } from '../parts/name-rules.ts'
import {
  type EntityDraft,
  entityDraftOf,
  entityPatch,
  newEntityBody,
  newEntityDraft,
  PRIORITIES,
} from './entity-draft.ts'

interface EditProps {
  readonly entity: Entity
  onSaved(): void
  onClose(): void
}

export const EditEntity = ({ entity, onSaved, onClose }: EditProps) => {
  const { api } = useSession()
  return (
    <EntityForm
      title={`Edit ${entity.entity_id}`}
      action="Save"
      draft={entityDraftOf(entity)}
      isNew={false}
      save={(draft) =>
        api.send('PATCH', pathOf('api/entities', entity.entity_id), entityPatch(entity, draft))
      }
      onSaved={onSaved}
      onClose={onClose}
    />
  )
}

interface CreateProps {
  /** The suggested parent; '' for none. */
  readonly parentId: string
  onCreated(id: string): void
  onClose(): void
}

/** Creates an entity. Used by the overview and by the children of an entity. */
export const CreateEntity = ({ parentId, onCreated, onClose }: CreateProps) => {
  const { api } = useSession()
  return (
    <EntityForm
      title="New entity"
      action="Create"
      draft={newEntityDraft(parentId)}
      isNew
      save={(draft) => api.send('POST', 'api/entities', newEntityBody(draft))}
      onSaved={(draft) => onCreated(draft.id.trim())}
      onClose={onClose}
    />
  )
}

interface EntityFormProps {
  readonly title: string
  /** The label of the submit button. */
  readonly action: string
  readonly draft: EntityDraft
  /** A new entity needs an id. */
  readonly isNew: boolean
  save(draft: EntityDraft): Promise<unknown>
  onSaved(draft: EntityDraft): void
  onClose(): void
}

const FIELDS = ['entity_id', 'name', 'kind', 'parent_id', 'role', 'models']

/** The form of an entity, to create and to edit it. */
export const EntityForm = ({
  title,
  action,
  draft: initial,
  isNew,
  save,
  onSaved,
  onClose,
}: EntityFormProps) => {
  const [draft, setDraft] = useState(initial)
  const saving = useAction(() => save(draft))
  const part: PartProps = {
    draft,
    isNew,
    error: saving.error,
    set: (changes) => setDraft((before) => ({ ...before, ...changes })),
  }
  return (
    <FormDialog
      title={title}
      fieldNames={FIELDS}
      submit={action}
      action={saving}
      onDone={() => onSaved(draft)}
      onClose={onClose}
    >
      <RequiredNote />
      <div class="fields">
        <NameFields {...part} />
        <PlaceFields {...part} />
      </div>
      <SwitchFields {...part} />
    </FormDialog>
  )
}

interface PartProps {
  readonly draft: EntityDraft
  readonly isNew: boolean
  readonly error: Error | undefined
  set(changes: Partial<EntityDraft>): void
}

const NameFields = ({ draft, isNew, error, set }: PartProps) => (
  <>
    {isNew && (
      <TextField
        label="Id"
        value={draft.id}
        required
        check={checkId}
        error={fieldErrorOf(error, 'entity_id')}
        hint="cannot be changed later"
        onValue={(id) => set({ id })}
      />
    )}
    <TextField
      label="Name"
      value={draft.name}
      required
      check={checkName}
      error={fieldErrorOf(error, 'name')}
      onValue={(name) => set({ name })}
    />
    <TextField
      label="Kind"
      value={draft.kind}
      required
      check={checkId}
      error={fieldErrorOf(error, 'kind')}
      hint="for example project, tenant, user, key"
      onValue={(kind) => set({ kind })}
    />
  </>
)

const PlaceFields = ({ draft, error, set }: PartProps) => (
  <>
    <EntityField
      label="Parent"
      value={draft.parentId}
      check={checkId}
      error={fieldErrorOf(error, 'parent_id')}
      hint="an entity’s id; blank: none"
      onValue={(parentId) => set({ parentId })}
    />
    <TextField
      label="Role"
      value={draft.role}
      check={checkId}
      error={fieldErrorOf(error, 'role')}
      hint="its default limits apply; blank: none"
      onValue={(role) => set({ role })}
    />
    <ChoiceField
      label="Priority"
      value={draft.priority}
      options={PRIORITIES}
      onValue={(priority) => set({ priority })}
    />
    <TextField
      label="Models"
      value={draft.models}
      check={checkModelIds}
      error={fieldErrorOf(error, 'models')}
      hint="ids separated by commas; blank: all"
      onValue={(models) => set({ models })}
    />
  </>
)

const SwitchFields = ({ draft, isNew, set }: PartProps) => (
  <div class="fields">
    <CheckField
      label="Cascade"
      checked={draft.cascade}
      hint="parents’ limits apply too"
      onChecked={(cascade) => set({ cascade })}
    />
    {!isNew && (
      <>
        <CheckField
          label="Bypass"
          checked={draft.bypass}
          hint="counted, never limited"
          onChecked={(bypass) => set({ bypass })}
        />
        <CheckField
          label="Disabled"
          checked={draft.disabled}
          hint="its keys are rejected"
          onChecked={(disabled) => set({ disabled })}
        />
      </>
    )}
  </div>
)
