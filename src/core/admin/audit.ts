import { ZaelError } from '../model/errors.ts'
import type { AdminStore, AuditRecord, AuditValue } from '../ports/admin-store.ts'
import type { Clock, Secrets } from '../ports/platform.ts'

/** The dependencies of services that change configuration. */
export interface AdminDependencies {
  readonly store: AdminStore
  readonly clock: Clock
  readonly secrets: Secrets
  /** Called after every change that was written. */
  readonly changed: OnConfigChange
}

/**
 * A change of the configuration by this process, which invalidates cached configuration. A change of an entity includes its
 * keys, its limits and the limits that its children inherit; `all` is a change of defaults, which apply to every entity.
 */
export interface ConfigChange {
  readonly entityId?: string
  readonly modelId?: string
  readonly upstreamName?: string
  readonly alertName?: string
  readonly all?: true
}

export type OnConfigChange = (change: ConfigChange) => void

/** The content of an audit record, without its time and id. */
export interface AuditEntry {
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly before: AuditValue
  readonly after: AuditValue
}

/** The audit record of an entry, at the current time. */
export const auditRecord = (
  { clock, secrets }: Pick<AdminDependencies, 'clock' | 'secrets'>,
  entry: AuditEntry,
): AuditRecord => ({
  id: secrets.id(),
  at: clock.now(),
  ...entry,
})

const ATTEMPTS = 5

/** The version of a change at `now` (ns since the epoch); `before`: the previous version, null if there is none. */
export const nextVersion = (now: bigint, before: bigint | null): bigint =>
  before === null || now > before ? now : before + 1n

/**
 * Repeats a read-and-replace while concurrent changes interfere, a few times at most.
 * Throws `ZaelError('conflict')` after the last attempt.
 */
export const untilUnchanged = async <T>(attempt: () => Promise<T | 'changed'>): Promise<T> => {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    const outcome = await attempt()
    if (outcome !== 'changed') return outcome
  }
  throw new ZaelError('conflict', 'It is being changed by another request; please try again')
}
