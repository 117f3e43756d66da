import { Hono } from 'hono'
import type { Limit, LimitOwner } from '../../core/limit/limit.ts'
import { DEFAULT_RESOURCE } from '../../core/limit/limit.ts'
import { parseLimits } from '../../core/limit/parse-limit.ts'
import { usualLimits } from '../../core/limit/usual-limits.ts'
import { environmentLayer, type Layer, layerOf } from '../../core/resolving/layers.ts'
import { effectiveLimits } from '../../core/resolving/resolve-limits.ts'
import type { AppEnv, HttpSettings } from '../app-dependencies.ts'
import { described } from '../schemas/described.ts'
import { defaultsAnswer, defaultsBody, defaultsQuery } from '../schemas/limit-schemas.ts'
import { jsonBody, query } from '../schemas/validated.ts'
import type { AdminServices } from './admin-services.ts'
import { effectiveLimitJson } from './limit-json.ts'

const tag = 'Limits'

type Needs = Pick<AdminServices, 'limitSets'> & {
  readonly settings: Pick<HttpSettings, 'defaultRpmLimit' | 'defaultTpmLimit' | 'windowSeconds'>
}

/** System defaults, and a role's where `role` is named. */
export const createDefaultsRoutes = ({ limitSets, settings }: Needs) => {
  const environment = environmentLayer(
    usualLimits({
      rpm: settings.defaultRpmLimit,
      tpm: settings.defaultTpmLimit,
      windowSeconds: settings.windowSeconds,
    }),
  )
  return new Hono<AppEnv>()
    .get(
      '/',
      described({
        tag,
        summary: 'Show system or role defaults',
        description: 'Those of the environment hold where the system has none of that name.',
        answer: defaultsAnswer,
        errors: [400],
      }),
      query(defaultsQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, role } = c.req.valid('query')
        const limits = await limitSets.get({ owner: ownerOf(role), resource })
        return c.json(defaultsJson(role, resource, limits, environment))
      },
    )
    .put(
      '/',
      described({
        tag,
        summary: 'Replace system or role defaults',
        answer: defaultsAnswer,
        errors: [400, 409],
      }),
      query(defaultsQuery),
      jsonBody(defaultsBody),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, role } = c.req.valid('query')
        const limits = parseLimits(c.req.valid('json').limits, 'limits')
        await limitSets.replace({ owner: ownerOf(role), resource }, limits, c.get('identity').kind)
        return c.json(defaultsJson(role, resource, limits, environment))
      },
    )
}

const ownerOf = (role: string | undefined): LimitOwner =>
  role === undefined ? { kind: 'system' } : { kind: 'role', role }

/** The environment's are the system's last, beneath what is set for all resources. */
const defaultsJson = (
  role: string | undefined,
  resource: string,
  limits: readonly Limit[],
  environment: Layer,
) => {
  const own = layerOf({ owner: ownerOf(role), resource }, { limits, version: 0n })
  const isLast = role === undefined && resource === DEFAULT_RESOURCE
  const effective = effectiveLimits(isLast ? [own, environment] : [own])
  return { role: role ?? null, resource, limits: effective.map(effectiveLimitJson) }
}
