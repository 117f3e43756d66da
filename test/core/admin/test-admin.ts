import type { AdminDependencies, ConfigChange } from '../../../src/core/admin/audit.ts'
import { createTestAdminStore } from '../../http/test-admin-store.ts'
import { createTestClock } from '../test-clock.ts'

/** The dependencies of admin services, with all change notifications. Secrets and ids count up. */
export const createTestAdmin = () => {
  let made = 0
  const changes: ConfigChange[] = []
  const store = createTestAdminStore()
  const clock = createTestClock()
  const deps: AdminDependencies = {
    store,
    clock,
    secrets: {
      create: () => `secret-${++made}-that-is-long`,
      hash: (secret) => `hash of ${secret}`,
      id: () => `id-${String(++made).padStart(4, '0')}`,
    },
    changed: (change) => changes.push(change),
  }
  const audit = async () => (await store.listAudit({ limit: 100 })).items
  return { deps, store, clock, changes, audit }
}
