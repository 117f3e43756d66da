import type { LimitOwner, LimitSetKey } from './limit.ts'

/** A text that no two owners share. */
export const ownerText = (owner: LimitOwner): string => {
  switch (owner.kind) {
    case 'entity':
      return `ENTITY#${owner.id}`
    case 'role':
      return `ROLE#${owner.role}`
    case 'system':
      return 'SYSTEM'
    case 'policy':
      return `POLICY#${owner.scope}#${owner.selector}`
  }
}

/** A text that no two sets share. */
export const limitSetText = ({ owner, resource }: LimitSetKey): string => `${ownerText(owner)}#${resource}`
