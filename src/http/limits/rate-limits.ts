import { Hono } from 'hono'
import pLimit from 'p-limit'
import type * as v from 'valibot'
import { idParam } from '../../contract/fields.ts'
import { configBody, rateLimitStatsResponse, rateLimitStatusResponse } from '../../contract/rate-limit.ts'
import { requireStorable } from '../../core/admin/entities.ts'
import type { LimitState } from '../../core/decide/decision.ts'
import type { BucketStatus } from '../../core/decide/inspector.ts'
import type { Limiter } from '../../core/decide/limiter.ts'
import type { Entity } from '../../core/model/entity.ts'
import { ZaelError } from '../../core/model/errors.ts'
import { type Limit, usualLimits } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { tightestRequests, tightestTokens } from '../../web/described-limits.ts'
import type { AdminServices, AppDependencies, AppEnv } from '../app-dependencies.ts'
import { jsonBody, params } from '../body/validated.ts'
import { describeRoute } from '../openapi/described.ts'
import { resizeUsual, type UsualChange, usualSize } from './resize-usual.ts'

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
      describeRoute({
        tag,
        summary: 'Show the limits of a key and their availability',
        response: rateLimitStatusResponse,
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
      describeRoute({
        tag,
        summary: 'Count keys with usage and with own limits',
        description: `Among the first ${MAX_COUNTED} entities by id.`,
        response: rateLimitStatsResponse,
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
      describeRoute({
        tag,
        summary: 'Set the limits on requests and tokens',
        description: 'Absent fields and limits of other names stay unchanged.',
        response: rateLimitStatusResponse,
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
      describeRoute({
        tag,
        summary: 'Refill all limits of a key',
        response: rateLimitStatusResponse,
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
  if (enabled === false) requireStorable('id', id)
  const change: UsualChange = {
    ...(rpm !== undefined && { rpm }),
    ...(tpm !== undefined && { tpm }),
    ...(windowSeconds !== undefined && { windowSeconds }),
  }
  if (Object.keys(change).length > 0) {
    const effective = (await limiter.explain(id)).map(({ limit }) => limit)
    const key = { owner: { kind: 'entity', id }, resource: DEFAULT_RESOURCE } as const
    const fallback = settings.windowSeconds
    await limitSets.change(key, (own) => resizeUsual(own, effective, change, fallback), actor)
  }
  const isSame = enabled === undefined || enabled === !before.bypass
  const entity = isSame ? before : await entities.change(id, { bypass: !enabled }, actor)
  return statusOf(needs, entity)
}

/** The system defaults, and those of the environment whose names the system does not have. */
const defaultLimits = async ({ limitSets, settings }: Needs) => {
  const stored = await limitSets.get({ owner: { kind: 'system' }, resource: DEFAULT_RESOURCE })
  const { defaultRpmLimit: rpm, defaultTpmLimit: tpm, windowSeconds } = settings
  return [...stored, ...usualLimits({ rpm, tpm, windowSeconds })]
}

const SHOWN_OF_KEY = 8

/** `limits`: the effective limits on `_default_`. */
const rateLimitJson = (entity: Entity, bucket: BucketStatus, limits: readonly Limit[]) => ({
  api_key: `${entity.id.slice(0, SHOWN_OF_KEY)}...`,
  status: {
    resource: bucket.resource,
    requests: levelJson(tightestRequests(bucket.limits)),
    tokens: levelJson(tightestTokens(bucket.limits)),
  },
  config: configJson(limits, !entity.bypass),
})

/** `rpm` and `tpm` among the limits. */
const configJson = (limits: readonly Limit[], enabled: boolean) => {
  const sizeOf = (name: string) => {
    const limit = limits.find((each) => each.name === name)
    return limit && usualSize(limit)
  }
  const [rpm, tpm] = [sizeOf('rpm'), sizeOf('tpm')]
  return {
    tpm_limit: tpm?.capacity ?? null,
    rpm_limit: rpm?.capacity ?? null,
    window_seconds: rpm?.windowSeconds ?? tpm?.windowSeconds ?? null,
    enabled,
  }
}

const levelJson = (state: LimitState | undefined) =>
  state === undefined
    ? null
    : {
        limit: state.capacity,
        used: state.used,
        remaining: state.available,
        reset_after_seconds: secondsOf(state.resetNs),
      }

export interface KeyStats {
  readonly tracked: number
  readonly configured: number
  readonly active: number
}

/** The most entities to count, the first by id: each costs a few reads. */
const MAX_COUNTED = 1000

const AT_ONCE = 20

/** Counts the entities with any usage, with own limits, and with a limit that is partly used now. */
const countKeys = async (needs: {
  readonly store: AdminStore
  readonly limiter: Limiter
}): Promise<KeyStats> => {
  const { items } = await needs.store.listEntities({ limit: MAX_COUNTED })
  const stats = await pLimit(AT_ONCE).map(items, ({ id }) => statsOf(needs, id))
  return stats.reduce(
    (sum, each) => ({
      tracked: sum.tracked + each.tracked,
      configured: sum.configured + each.configured,
      active: sum.active + each.active,
    }),
    NONE,
  )
}

const NONE: KeyStats = { tracked: 0, configured: 0, active: 0 }

const statsOf = async (
  { store, limiter }: Parameters<typeof countKeys>[0],
  id: string,
): Promise<KeyStats> => {
  try {
    const [{ limits, used }, resources] = await Promise.all([
      limiter.status(id),
      store.limitedResources({ kind: 'entity', id }),
    ])
    const isActive = limits.some((state) => state.used > 0)
    const isTracked = isActive || Object.values(used).some((amount) => amount > 0)
    return { tracked: Number(isTracked), configured: Number(resources.length > 0), active: Number(isActive) }
  } catch (error) {
    // deleted since it was listed
    if (error instanceof ZaelError && error.code === 'not_found') return NONE
    throw error
  }
}
