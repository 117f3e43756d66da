import { useState } from 'preact/hooks'
import type { Entity } from '../api/answers.ts'
import { useSession } from '../api/session.tsx'
import { hrefOf } from '../shell/route.ts'
import { DeleteEntity } from './delete-entity.tsx'
import { EditEntity } from './edit-entity.tsx'

interface Props {
  readonly entity: Entity
  onChanged(): void
}

/** Who it is, and what can be done with it. */
export const EntityHead = ({ entity, onChanged }: Props) => {
  const { entity_id: id, name, parent_id } = entity
  return (
    <header class="view-head entity-head">
      <div class="entity-title">
        {parent_id !== null && (
          <p class="quiet">
            Child of <a href={hrefOf({ view: 'entity', id: parent_id })}>{parent_id}</a>
          </p>
        )}
        <h1>
          {name} {name !== id && <code class="entity-id">{id}</code>}
        </h1>
        <Tags entity={entity} />
      </div>
      <HeadActions entity={entity} onChanged={onChanged} />
    </header>
  )
}

const Tags = ({ entity }: Pick<Props, 'entity'>) => {
  const { kind, disabled, bypass, role, priority, cascade, parent_id, models } = entity
  return (
    <p class="tags">
      <span class="tag">{kind}</span>
      {disabled && (
        <span class="tag bad" title="Its keys are rejected">
          disabled
        </span>
      )}
      {bypass && (
        <span class="tag warn" title="Counted, never limited">
          bypass
        </span>
      )}
      {role !== null && <span class="tag">role {role}</span>}
      {priority !== 'normal' && <span class="tag">{priority} priority</span>}
      {parent_id !== null && (
        <span class="tag" title={cascade ? 'Parents’ limits apply too' : 'Parents’ limits do not apply'}>
          {cascade ? 'cascade' : 'no cascade'}
        </span>
      )}
      {models !== null && <span class="tag">only {models.join(', ') || 'no model'}</span>}
    </p>
  )
}

const HeadActions = ({ entity, onChanged }: Props) => {
  const { mayWrite } = useSession()
  const [open, setOpen] = useState<'edit' | 'delete' | undefined>(undefined)
  const close = () => setOpen(undefined)
  const { entity_id: id } = entity
  return (
    <div class="actions">
      <a class="button" href={hrefOf({ view: 'try', id })}>
        Try it
      </a>
      {mayWrite && (
        <>
          <button class="button" type="button" onClick={() => setOpen('edit')}>
            Edit
          </button>
          <button class="button danger" type="button" onClick={() => setOpen('delete')}>
            Delete
          </button>
        </>
      )}
      {open === 'edit' && (
        <EditEntity
          entity={entity}
          onClose={close}
          onSaved={() => {
            close()
            onChanged()
          }}
        />
      )}
      {open === 'delete' && <DeleteEntity entity={entity} onClose={close} />}
    </div>
  )
}
