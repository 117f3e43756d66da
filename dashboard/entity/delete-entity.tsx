import type { Entity } from '../api/answers.ts'
import { pathOf } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { hrefOf } from '../shell/route.ts'

interface Props {
  readonly entity: Entity
  onClose(): void
}

/** Asks before an entity is deleted, and leads to where it was found. */
export const DeleteEntity = ({ entity, onClose }: Props) => {
  const { api } = useSession()
  const { entity_id: id, parent_id } = entity
  const leave = () => {
    location.hash = hrefOf(parent_id === null ? { view: 'overview' } : { view: 'entity', id: parent_id })
  }
  return (
    <Confirm
      title={`Delete ${id}?`}
      action={`Delete ${id}`}
      act={() => api.send('DELETE', pathOf('api/entities', id))}
      onDone={leave}
      onClose={onClose}
    >
      <p>
        Its keys and limits are deleted with it. This cannot be undone. An entity with children cannot be
        deleted.
      </p>
    </Confirm>
  )
}
