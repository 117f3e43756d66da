import { Hono } from 'hono'
import type { OnConfigChange } from '../core/admin/audit.ts'
import { createBucketService } from '../core/admin/buckets.ts'
import { createEntityService } from '../core/admin/entities.ts'
import { createKeyService } from '../core/admin/keys.ts'
import { createLimitSetService } from '../core/admin/limits.ts'
import { createModelService } from '../core/admin/models.ts'
import { createPolicyService } from '../core/admin/policies.ts'
import type { AdminServices } from './admin/admin-services.ts'
import { createAuditRoutes } from './admin/audit-routes.ts'
import { createBucketRoutes } from './admin/bucket-routes.ts'
import { createDefaultsRoutes } from './admin/defaults-routes.ts'
import { createEntityRoutes } from './admin/entity-routes.ts'
import { createKeyRoutes } from './admin/key-routes.ts'
import { createLimitRoutes } from './admin/limit-routes.ts'
import { createModelRoutes } from './admin/model-routes.ts'
import { createUsageRoutes } from './admin/usage-routes.ts'
import type { AppDependencies, AppEnv } from './app-dependencies.ts'
import { createDashboardRoutes } from './dashboard/dashboard-routes.ts'
import { createSharedOverview } from './dashboard/shared-overview.ts'
import { createPolicyRoutes } from './policies/policy-routes.ts'
import { createRateLimitRoutes } from './ratelimit/ratelimit-routes.ts'

/** All of `/api`, behind the guard that lets admins and reading viewers pass. `changed` is told of every change. */
export const createAdminRoutes = (deps: AppDependencies, changed: OnConfigChange): Hono<AppEnv> => {
  const overview = createSharedOverview({ ...deps, maxAgeMs: deps.settings.streamIntervalMs ?? 0 })
  const services = createAdminServices(deps, (change) => {
    overview.forget()
    changed(change)
  })
  const needs = { ...deps, ...services }
  return new Hono<AppEnv>()
    .route('/entities', createEntityRoutes(services))
    .route('/entities', createKeyRoutes(services))
    .route('/models', createModelRoutes(services))
    .route('/limits', createLimitRoutes(needs))
    .route('/limits', createBucketRoutes(needs))
    .route('/defaults', createDefaultsRoutes(needs))
    .route('/policies', createPolicyRoutes(services))
    .route('/usage', createUsageRoutes(needs))
    .route('/audit', createAuditRoutes(deps))
    .route('/ratelimit', createRateLimitRoutes(needs))
    .route('/dashboard', createDashboardRoutes({ ...deps, overview }))
}

const createAdminServices = (
  { store, clock, secrets, limiter }: AppDependencies,
  changed: OnConfigChange,
): AdminServices => {
  const needs = { store, clock, secrets, changed }
  return {
    entities: createEntityService(needs),
    keys: createKeyService(needs),
    models: createModelService(needs),
    limitSets: createLimitSetService(needs),
    policies: createPolicyService({ ...needs, limiter }),
    buckets: createBucketService({ store, clock, secrets, limiter }),
  }
}
