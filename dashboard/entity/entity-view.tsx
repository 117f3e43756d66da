import './entity.css'
import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { useQuery } from '../api/hooks.ts'
import type { Entity, Usage } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { ENTITY_SECTIONS, type EntitySection, hrefOf, SECTION_NAMES } from '../parts/route.ts'
import { UsagePanel } from '../usage/usage-panel.tsx'
import { AuditSection } from './audit-section.tsx'
import { ChildrenSection } from './children-section.tsx'
import { EditEntity } from './entity-form.tsx'
import { KeysSection } from './keys-section.tsx'
import { LimitsSection } from './limits-section.tsx'

interface EntityViewProps {
  readonly id: string
  readonly section: EntitySection
}

/** One entity: its head, and one of its sections. */
export const EntityView = ({ id, section }: EntityViewProps) => {
  const { api } = useSession()
  const result = useQuery((signal) => api.get<Entity>(pathOf('api/entities', id), {}, signal), [id])
  if (result.data === undefined)
    return (
      <>
        <header class="view-head">
          <h1>{id}</h1>
        </header>
        {result.error ? <EntityNotFound id={id} error={result.error} /> : <p class="quiet">Loading…</p>}
      </>
    )
  return (
    <>
      <EntityHead entity={result.data} onChanged={result.reload} />
      <SectionLinks id={id} current={section} />
      <Section key={section} section={section} entity={result.data} />
    </>
  )
}

const EntityNotFound = ({ id, error }: { readonly id: string; readonly error: Error }) => {
  if (!(error instanceof ApiError && error.status === 404)) return <ErrorNotice error={error} />
  return (
    <section class="card">
      <EmptyState title={`There is no entity ${id}`}>
        <p>
          It may have been deleted. <a href={hrefOf({ view: 'overview' })}>Go to the overview</a>
        </p>
      </EmptyState>
    </section>
  )
}

interface SectionLinksProps {
  readonly id: string
  readonly current: EntitySection
}

/** Whether its tokens name its properties: it is not stored, and has neither keys nor children. */
const isOfToken = (id: string): boolean => id.startsWith('jwt:')

const sectionsOf = (id: string): readonly EntitySection[] =>
  isOfToken(id) ? ['limits', 'usage', 'audit'] : ENTITY_SECTIONS

/** Links to the sections of an entity; each has its own address. */
export const SectionLinks = ({ id, current }: SectionLinksProps) => (
  <nav class="section-links" aria-label={`Parts of ${id}`}>
    {sectionsOf(id).map((section) => (
      <a
        key={section}
        href={hrefOf({ view: 'entity', id, section })}
        aria-current={section === current ? 'page' : undefined}
      >
        {SECTION_NAMES[section]}
      </a>
    ))}
  </nav>
)

/** One section of an entity. */
export const Section = ({
  section,
  entity,
}: {
  readonly section: EntitySection
  readonly entity: Entity
}) => {
  switch (section) {
    case 'limits':
      return <LimitsSection entity={entity} />
    case 'keys':
      return <KeysSection entityId={entity.entity_id} />
    case 'usage':
      return <UsageSection entityId={entity.entity_id} />
    case 'children':
      return <ChildrenSection entityId={entity.entity_id} />
    case 'audit':
      return <AuditSection entityId={entity.entity_id} />
  }
}

const REFRESH_MS = 5000

const UsageSection = ({ entityId }: { readonly entityId: string }) => {
  const { api } = useSession()
  return (
    <UsagePanel
      entityId={entityId}
      refreshMs={REFRESH_MS}
      read={(granularity, signal) => api.get<Usage>(pathOf('api/usage', entityId), { granularity }, signal)}
    >
      <p>
        <a href={hrefOf({ view: 'try', id: entityId })}>Send a test request</a>: it is counted here a few
        seconds later.
      </p>
    </UsagePanel>
  )
}

interface EntityHeadProps {
  readonly entity: Entity
  onChanged(): void
}

/** The name and state of an entity, with its actions. */
export const EntityHead = ({ entity, onChanged }: EntityHeadProps) => {
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

const Tags = ({ entity }: Pick<EntityHeadProps, 'entity'>) => {
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

const HeadActions = ({ entity, onChanged }: EntityHeadProps) => {
  const { mayWrite } = useSession()
  const [open, setOpen] = useState<'edit' | 'delete' | undefined>(undefined)
  const close = () => setOpen(undefined)
  const { entity_id: id } = entity
  return (
    <div class="actions">
      <a class="button" href={hrefOf({ view: 'try', id })}>
        Try it
      </a>
      {mayWrite && !isOfToken(id) && (
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

interface DeleteEntityProps {
  readonly entity: Entity
  onClose(): void
}

/** Confirms and deletes an entity, then opens its parent or the overview. */
export const DeleteEntity = ({ entity, onClose }: DeleteEntityProps) => {
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
