import type { Entity } from '../api/answers.ts'
import { pathOf } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { entityDraftOf, entityPatch, newEntityBody, newEntityDraft } from './entity-draft.ts'
import { EntityForm } from './entity-form.tsx'

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
  /** The parent that is suggested; '': none. */
  readonly parentId: string
  onCreated(id: string): void
  onClose(): void
}

/** Creates an entity; for whichever view has a use for it. */
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
