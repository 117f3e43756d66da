import { Hono } from 'hono'
import type * as v from 'valibot'
import { idParam } from '../../contract/fields.ts'
import { configBody, rateLimitStatsResponse, rateLimitStatusResponse } from '../../contract/rate-limit.ts'
import { resizeUsual, type UsualChange } from '../../core/admin/limits.ts'
import type { Entity } from '../../core/model/entity.ts'
import { usualLimits } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { AdminServices } from '../admin/admin-services.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params } from '../body/validated.ts'
import { described } from '../docs/described.ts'
import { countKeys, MOST_COUNTED } from './key-stats.ts'
import { configJson, rateLimitJson } from './ratelimit-json.ts'

const tag = 'Rate limits'

type Needs = Pick<AdminServices, 'entities' | 'limitSets' | 'buckets'> &
  Pick<AppDependencies, 'limiter' | 'store' | 'settings'>

/** The short form of the API: one limit on requests and one on tokens for each key. */
export const createRateLimitRoutes = (needs: Needs) =>
  new Hono<AppEnv>().route('/', createReadRoutes(needs)).route('/', createWriteRoutes(needs))

const createReadRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .get(
      '/status/:id',
      described({
        tag,
        summary: 'Show what a key has left, and its limits',
        answer: rateLimitStatusResponse,
        errors: [400, 404],
      }),
      params(idParam),
      async (c) => {
        const entity = await needs.entities.get(c.req.valid('param').id)
        return c.json(await statusOf(needs, entity))
      },
    )
    .get(
      '/stats',
      described({
        tag,
        summary: 'Count keys',
        description: `Among the first ${MOST_COUNTED} entities by id.`,
        answer: rateLimitStatsResponse,
      }),
      async (c) => {
        const [keys, limits] = await Promise.all([countKeys(needs), defaultLimits(needs)])
        return c.json({
          total_tracked_keys: keys.tracked,
          total_configured_keys: keys.configured,
          active_keys: keys.active,
          default_config: configJson(limits, needs.settings.rateLimitingEnabled),
        })
      },
    )

const createWriteRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .post(
      '/config/:id',
      described({
        tag,
        summary: 'Set the limits on requests and tokens',
        description: 'What is left out stays as it is, as do limits of other names.',
        answer: rateLimitStatusResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      jsonBody(configBody),
      async (c) => {
        const { id } = c.req.valid('param')
        return c.json(await configure(needs, id, c.req.valid('json'), c.get('identity').kind))
      },
    )
    .post(
      '/reset/:id',
      described({
        tag,
        summary: 'Make all that a key has full again',
        answer: rateLimitStatusResponse,
        errors: [400, 404, 409],
      }),
      params(idParam),
      async (c) => {
        const { id } = c.req.valid('param')
        await needs.buckets.reset(id, {}, c.get('identity').kind)
        return c.json(await statusOf(needs, await needs.entities.get(id)))
      },
    )

const statusOf = async ({ limiter }: Needs, entity: Entity) => {
  const [bucket, effective] = await Promise.all([limiter.status(entity.id), limiter.explain(entity.id)])
  return rateLimitJson(
    entity,
    bucket,
    effective.map(({ limit }) => limit),
  )
}

const configure = async (needs: Needs, id: string, body: v.InferOutput<typeof configBody>, actor: string) => {
  const { entities, limitSets, limiter, settings } = needs
  const { rpm_limit: rpm, tpm_limit: tpm, window_seconds: windowSeconds, enabled } = body
  const before = await entities.get(id)
  const change: UsualChange = {
    ...(rpm !== undefined && { rpm }),
    ...(tpm !== undefined && { tpm }),
    ...(windowSeconds !== undefined && { windowSeconds }),
  }
  if (Object.keys(change).length > 0) {
    const inForce = (await limiter.explain(id)).map(({ limit }) => limit)
    const key = { owner: { kind: 'entity', id }, resource: DEFAULT_RESOURCE } as const
    const fallback = settings.windowSeconds
    await limitSets.change(key, (own) => resizeUsual(own, inForce, change, fallback), actor)
  }
  const isSame = enabled === undefined || enabled === !before.bypass
  const entity = isSame ? before : await entities.change(id, { bypass: !enabled }, actor)
  return statusOf(needs, entity)
}

/** The environment's, where the table has no system default of that name. */
const defaultLimits = async ({ limitSets, settings }: Needs) => {
  const stored = await limitSets.get({ owner: { kind: 'system' }, resource: DEFAULT_RESOURCE })
  const { defaultRpmLimit: rpm, defaultTpmLimit: tpm, windowSeconds } = settings
  return [...stored, ...usualLimits({ rpm, tpm, windowSeconds })]
}
