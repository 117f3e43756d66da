import { ZaelError } from '../model/errors.ts'
import type { AdminStore, AuditRecord, AuditValue } from '../ports/admin-store.ts'
import type { Clock, Secrets } from '../ports/platform.ts'

/** What the services that change configuration stand on. */
export interface AdminDependencies {
  readonly store: AdminStore
  readonly clock: Clock
  readonly secrets: Secrets
  /** Told after every change that was written. */
  readonly changed: OnConfigChange
}

/**
 * What this process has changed of the configuration: caches forget what they know of it. An entity's change covers
 * its keys, its limits and what its children inherit from it; `all` is for defaults, which bind everyone.
 */
export interface ConfigChange {
  readonly entityId?: string
  readonly modelId?: string
  readonly all?: true
}

export type OnConfigChange = (change: ConfigChange) => void

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

const ATTEMPTS = 5

/** The version of a change made at `now` (ns since the epoch) to what had the version `before` (null: there was nothing). */
export const nextVersion = (now: bigint, before: bigint | null): bigint =>
  before === null || now > before ? now : before + 1n

/**
 * Repeats a read-and-replace while others get in between, a few times at most.
 * Throws `ZaelError('conflict')` after that.
 */
export const untilUnchanged = async <T>(attempt: () => Promise<T | 'changed'>): Promise<T> => {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    const outcome = await attempt()
    if (outcome !== 'changed') return outcome
  }
  throw new ZaelError('conflict', 'It is being changed by others at the same time; please try again')
}
