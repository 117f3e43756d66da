import type { AdminStore } from '../ports/admin-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { OnConfigChange } from './config-change.ts'

/** What the services that change configuration stand on. */
export interface AdminDependencies {
  readonly store: AdminStore
  readonly clock: Clock
  readonly secrets: Secrets
  /** Told after every change that was written. */
  readonly changed: OnConfigChange
}
