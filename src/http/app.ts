import { Hono } from 'hono'
import type { OnConfigChange } from '../core/admin/audit.ts'
import { createReservationService } from '../core/admin/reservations.ts'
import { createAdminRoutes } from './admin-routes.ts'
import type { AppDependencies, AppEnv } from './app-dependencies.ts'
import { createAuthenticator } from './auth/authenticator.ts'
import { createGuards, type Guards } from './auth/guards.ts'
import { createChatRoutes } from './chat/chat-routes.ts'
import { createModelLookup } from './chat/model-lookup.ts'
import { createCheckRoutes } from './checking/check-routes.ts'
import { createReservationRoutes } from './checking/reservation-routes.ts'
import { createDocsRoutes } from './docs/docs-routes.ts'
import { createErrorAnswer, createNotFoundAnswer } from './errors/error-answer.ts'
import { bodyBounds } from './middleware/body-bounds.ts'
import { crossOrigin } from './middleware/cross-origin.ts'
import { everyAnswer } from './middleware/every-answer.ts'
import { localOnly } from './middleware/local-only.ts'
import { createHealthRoutes } from './operation/health-routes.ts'
import { createHomeRoutes } from './operation/home-routes.ts'
import { createMetricsRoutes } from './operation/metrics-routes.ts'
import { createPageRoutes } from './page/page-routes.ts'
import { createPolicyCheckRoutes } from './policies/check-routes.ts'
import { createModelCatalog } from './policies/model-catalog.ts'

/**
 * The whole HTTP API, the same wherever it runs. Paths begin below the stage: where a platform puts a prefix before
 * them, its adapter takes it off. The address of the client is taken from `env`: a Node server's `incoming`, or a
 * Lambda event's `requestContext`.
 */
export const createApp = (deps: AppDependencies): Hono<AppEnv> => {
  const app = new Hono<AppEnv>()
  app.onError(createErrorAnswer(deps))
  app.notFound(createNotFoundAnswer(app, deps))
  useMiddleware(app, deps)

  const authenticator = createAuthenticator(deps)
  const guards = createGuards(deps, authenticator)
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

  app.use('/v1/*', guards.callers)
  app.route('/v1', createChatRoutes(deps, models))
  const reservationService = createReservationService(deps)
  app.route('/v1/limits', createCheckRoutes({ ...deps, reservationService }, models))
  app.route('/v1/limits', createReservationRoutes(reservationService))
  app.use('/api/*', guards.admins)
  app.route('/api', createAdminRoutes(deps, changed))
  app.use('/rate-limit/*', guards.admins)
  app.route('/rate-limit', createPolicyCheckRoutes({ ...deps, models, catalog }))
  mountOperation(app, deps, guards)
  return app
}

const useMiddleware = (app: Hono<AppEnv>, deps: AppDependencies): void => {
  const { corsOrigins, isLocalOnly, maxBodyBytes } = deps.settings
  app.use(everyAnswer(deps))
  if (isLocalOnly) app.use(localOnly(corsOrigins))
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins))
  app.use(bodyBounds(maxBodyBytes))
}

const mountOperation = (app: Hono<AppEnv>, deps: AppDependencies, guards: Guards): void => {
  if (deps.metricsText !== undefined) {
    app.use('/metrics', guards.admins)
    app.route('/metrics', createMetricsRoutes(deps.metricsText))
  }
  app.route('/', createHealthRoutes(deps))
  app.route(
    '/',
    createDocsRoutes(deps.assets, () => app),
  )
  app.route('/', createPageRoutes(deps.assets))
  app.route('/', createHomeRoutes())
}
