import type { Entity } from '../api/answers.ts'
import type { EntitySection } from '../shell/route.ts'
import { AuditSection } from './audit/audit-section.tsx'
import { ChildrenSection } from './children-section.tsx'
import { KeysSection } from './keys/keys-section.tsx'
import { LimitsSection } from './limits/limits-section.tsx'
import { UsageSection } from './usage/usage-section.tsx'

/** A part of an entity's view. */
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
