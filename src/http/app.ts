import { Hono } from 'hono'
import { createAlertService } from '../core/admin/alerts.ts'
import type { OnConfigChange } from '../core/admin/audit.ts'
import { createBucketService } from '../core/admin/buckets.ts'
import { createEntityService } from '../core/admin/entities.ts'
import { createKeyService } from '../core/admin/keys.ts'
import { createLimitSetService } from '../core/admin/limits.ts'
import { createModelService } from '../core/admin/models.ts'
import { createPolicyService } from '../core/admin/policies.ts'
import { createReservationService } from '../core/admin/reservations.ts'
import { createUpstreamService } from '../core/admin/upstreams.ts'
import { createAlertRoutes } from './alerts/alerts.ts'
import type { AdminServices, AppDependencies, AppEnv } from './app-dependencies.ts'
import { useAccess } from './auth/access.ts'
import { createAuthenticator } from './auth/authenticator.ts'
import { createGuards, identityOf } from './auth/guards.ts'
import { createConfigurationRoutes } from './configuration/configuration.ts'
import { createDashboardRoutes } from './dashboard/dashboard-routes.ts'
import { createOverviewReader } from './dashboard/overview.ts'
import { createEntityRoutes } from './entities/entities.ts'
import { createKeyRoutes } from './entities/keys.ts'
import { createUsageRoutes } from './entities/usage.ts'
import { createErrorHandler, createErrorReplies, createNotFoundHandler } from './errors/error-response.ts'
import type { HotRoutes } from './hot-route.ts'
import { createCheckHandler, createLimitCheckRoutes, hotCheckRoute } from './limit-checks/check-routes.ts'
import { createReservationRoutes } from './limit-checks/reservations.ts'
import { createBucketRoutes } from './limits/buckets.ts'
import { createDefaultsRoutes } from './limits/defaults.ts'
import { createLimitRoutes } from './limits/limits.ts'
import { createRateLimitRoutes } from './limits/rate-limits.ts'
import {
  bodyBounds,
  createBegin,
  createBodyBound,
  crossOrigin,
  everyResponse,
  localOnly,
} from './middleware.ts'
import { createModelApp, createModelHandlers, hotModelRoutes } from './model-routes/routes.ts'
import { createModelCatalog, createModelLookup } from './models/model-lookup.ts'
import { createModelRoutes } from './models/models.ts'
import { createModelRoutes as createOpenAiModelRoutes } from './models/openai-models.ts'
import { createAuditRoutes } from './operation/audit.ts'
import { createHealthRoutes, createMetricsRoutes } from './operation/health.ts'
import { createOwnQuotaRoutes } from './own-quota/own-quota.ts'
import { createDashboardFileRoutes } from './pages/dashboard-files.ts'
import { createDocsRoutes } from './pages/docs.ts'
import { createHomeRoutes } from './pages/home.ts'
import { createNamedBucketRoutes } from './policies/named-buckets.ts'
import { createPolicyRoutes } from './policies/policies.ts'
import { createPolicyCheckRoutes } from './policies/policy-checks.ts'
import { createUpstreamRoutes } from './upstreams/upstreams.ts'

/** The whole HTTP API, and the part of it that a Node server can serve without Hono. */
export interface Api {
  readonly app: Hono<AppEnv>
  readonly hot: HotRoutes
}

/**
 * The same on every platform. Paths begin below the stage: if a platform adds a prefix, its adapter removes it. The address of
 * the client comes from `env`: a Node server's `incoming`, or a Lambda event's `requestContext`.
 */
export const createApi = (deps: AppDependencies): Api => {
  const app = new Hono<AppEnv>()
  const replyTo = createErrorReplies(deps)
  app.onError(createErrorHandler(deps, replyTo))
  app.notFound(createNotFoundHandler(app, deps))
  useMiddleware(app, deps)

  const authenticator = createAuthenticator(deps)
  useAccess(app, createGuards(deps, authenticator))
  const models = createModelLookup(deps)
  const catalog = createModelCatalog(deps)
  const changed: OnConfigChange = (change) => {
    deps.limiter.forget()
    authenticator.forget(change)
    if (change.modelId !== undefined) {
      models.forget(change.modelId)
      catalog.forget()
    }
    deps.onChange?.(change)
  }

  const reservationService = createReservationService(deps)
  const modelRoutes = createModelHandlers(deps, models)
  const check = createCheckHandler({ ...deps, reservationService }, models)
  app.route('/v1', createModelApp(modelRoutes))
  app.route('/v1', createOpenAiModelRoutes(deps, models))
  app.route('/v1/limits', createLimitCheckRoutes(check))
  app.route('/v1/limits', createReservationRoutes(reservationService))
  app.route('/v1', createOwnQuotaRoutes({ ...deps, models }))
  app.route('/api', createAdminRoutes(deps, changed))
  app.route('/rate-limit', createPolicyCheckRoutes({ ...deps, models, catalog }))
  mountOperation(app, deps)
  const hot: HotRoutes = {
    routes: [...hotModelRoutes(modelRoutes), hotCheckRoute(check)],
    boundOf: createBodyBound(deps.settings),
    begin: createBegin(deps),
    identify: (header) => identityOf(authenticator, header),
    replyTo,
  }
  return { app, hot }
}

const useMiddleware = (app: Hono<AppEnv>, deps: AppDependencies): void => {
  const { corsOrigins, isLocalOnly } = deps.settings
  app.use(everyResponse(deps))
  if (isLocalOnly) app.use(localOnly(corsOrigins))
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins))
  app.use(bodyBounds(deps.settings))
}

const mountOperation = (app: Hono<AppEnv>, deps: AppDependencies): void => {
  if (deps.metricsText !== undefined) app.route('/metrics', createMetricsRoutes(deps.metricsText))
  app.route('/', createHealthRoutes(deps))
  app.route(
    '/',
    createDocsRoutes(deps.assets, () => app),
  )
  app.route('/', createDashboardFileRoutes(deps.assets))
  app.route('/', createHomeRoutes())
}

/** All of `/api`. `changed` is called after every change. */
const createAdminRoutes = (deps: AppDependencies, changed: OnConfigChange): Hono<AppEnv> => {
  const overview = createOverviewReader({ ...deps, maxAgeMs: deps.settings.streamIntervalMs ?? 0 })
  const services = createAdminServices(deps, (change) => {
    overview.forget()
    changed(change)
  })
  const needs = { ...deps, ...services }
  return new Hono<AppEnv>()
    .route('/entities', createEntityRoutes(services))
    .route('/entities', createKeyRoutes(services))
    .route('/models', createModelRoutes(services))
    .route('/upstreams', createUpstreamRoutes(needs))
    .route('/alerts', createAlertRoutes(needs))
    .route('/limits', createLimitRoutes(needs))
    .route('/limits', createBucketRoutes(needs))
    .route('/defaults', createDefaultsRoutes(needs))
    .route('/policies', createNamedBucketRoutes(needs))
    .route('/policies', createPolicyRoutes(needs))
    .route('/configuration', createConfigurationRoutes(needs))
    .route('/usage', createUsageRoutes(needs))
    .route('/audit', createAuditRoutes(deps))
    .route('/ratelimit', createRateLimitRoutes(needs))
    .route('/dashboard', createDashboardRoutes({ ...deps, overview }))
}

const createAdminServices = (deps: AppDependencies, changed: OnConfigChange): AdminServices => {
  const { store, clock, secrets, limiter, secretReader, environmentUpstream, processRegion } = deps
  const { alertEvents, checkAlertTarget } = deps
  const needs = { store, clock, secrets, changed }
  return {
    entities: createEntityService(needs),
    keys: createKeyService(needs),
    models: createModelService({
      ...needs,
      hasEnvironmentUpstream: (name) => name === environmentUpstream?.name,
    }),
    upstreams: createUpstreamService({ ...needs, secretReader, environmentUpstream, processRegion }),
    alerts: createAlertService({ ...needs, alertEvents, checkAlertTarget }),
    limitSets: createLimitSetService(needs),
    policies: createPolicyService({ ...needs, limiter }),
    buckets: createBucketService({ store, clock, secrets, limiter }),
  }
}
