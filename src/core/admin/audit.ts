import type { AuditRecord, AuditValue } from '../ports/admin-store.ts'
import type { AdminDependencies } from './admin-dependencies.ts'

/** What an audit record says, before it has a time and an id. */
export interface Deed {
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly before: AuditValue
  readonly after: AuditValue
}

/** The record of a deed, as of now. */
export const auditRecord = (
  { clock, secrets }: Pick<AdminDependencies, 'clock' | 'secrets'>,
  deed: Deed,
): AuditRecord => ({
  id: secrets.id(),
  at: clock.now(),
  ...deed,
})
