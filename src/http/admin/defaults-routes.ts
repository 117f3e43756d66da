import { Hono } from 'hono'
import type { Limit, LimitOwner } from '../../core/limit/limit.ts'
import { DEFAULT_RESOURCE } from '../../core/limit/limit.ts'
import { parseLimits } from '../../core/limit/parse-limit.ts'
import { layerOf } from '../../core/resolving/layers.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { described } from '../schemas/described.ts'
import { defaultsAnswer, defaultsBody, defaultsQuery } from '../schemas/limit-schemas.ts'
import { jsonBody, query } from '../schemas/validated.ts'
import type { AdminServices } from './admin-services.ts'
import { effectiveLimitJson } from './limit-json.ts'

const tag = 'Limits'

/** System defaults, and a role's where `role` is named. */
export const createDefaultsRoutes = ({ limitSets }: Pick<AdminServices, 'limitSets'>) =>
  new Hono<AppEnv>()
    .get(
      '/',
      described({ tag, summary: 'Show system or role defaults', answer: defaultsAnswer, errors: [400] }),
      query(defaultsQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, role } = c.req.valid('query')
        const limits = await limitSets.get({ owner: ownerOf(role), resource })
        return c.json(defaultsJson(role, resource, limits))
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
        return c.json(defaultsJson(role, resource, limits))
      },
    )

const ownerOf = (role: string | undefined): LimitOwner =>
  role === undefined ? { kind: 'system' } : { kind: 'role', role }

const defaultsJson = (role: string | undefined, resource: string, limits: readonly Limit[]) => {
  const { source } = layerOf({ owner: ownerOf(role), resource }, undefined)
  return {
    role: role ?? null,
    resource,
    limits: limits.map((limit) => effectiveLimitJson({ limit, source })),
  }
}
