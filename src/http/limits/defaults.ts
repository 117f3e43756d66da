import { type Context, Hono } from 'hono'
import { defaultsBody, defaultsQuery, defaultsResponse } from '../../contract/limits.ts'
import { usualLimits } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE, TOTAL_RESOURCE } from '../../core/model/limit-set.ts'
import { type ExplainedLimit, explainLimits } from '../../core/resolve/effective-limits.ts'
import {
  type DefaultsOwner,
  defaultsKeys,
  environmentLayer,
  type Layer,
  readLayers,
} from '../../core/resolve/layers.ts'
import type { AdminServices, AppDependencies, AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBody, query } from '../body/validated.ts'
import { preconditionOf, setEtag } from '../etag.ts'
import { describeRoute } from '../openapi/described.ts'
import { effectiveLimitJson } from './limit-json.ts'

const tag = 'Limits'

type Needs = Pick<AdminServices, 'limitSets'> & {
  readonly clock: AppDependencies['clock']
  readonly store: Pick<AppDependencies['store'], 'limitSets'>
  readonly settings: Pick<HttpSettings, 'defaultRpmLimit' | 'defaultTpmLimit' | 'windowSeconds'>
}

/** System defaults, or a role's if `role` is present. */
export const createDefaultsRoutes = ({ limitSets, store, clock, settings }: Needs) => {
  const environment = environmentOf(settings)
  const show = async (c: Context<AppEnv>, role: string | undefined, resource: string) => {
    const keys = defaultsKeys(ownerOf(role), resource)
    const layers = (await readLayers(store, keys))(keys)
    setEtag(c, layers[0]?.version ?? 0n)
    return c.json(defaultsJson({ role, resource, layers, environment }, clock.now()))
  }
  return new Hono<AppEnv>()
    .get(
      '/',
      describeRoute({
        tag,
        summary: 'Show system or role defaults',
        description:
          'The environment’s defaults apply if the system has none of that name. `inherited`: the limits that would apply if none were set here.',
        response: defaultsResponse,
        etag: 'shown',
        errors: [400],
      }),
      query(defaultsQuery),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, role } = c.req.valid('query')
        return show(c, role, resource)
      },
    )
    .put(
      '/',
      describeRoute({
        tag,
        summary: 'Replace system or role defaults',
        response: defaultsResponse,
        etag: 'compared',
        errors: [400, 409],
      }),
      query(defaultsQuery),
      jsonBody(defaultsBody),
      async (c) => {
        const { resource = DEFAULT_RESOURCE, role } = c.req.valid('query')
        const { limits } = c.req.valid('json')
        const key = { owner: ownerOf(role), resource }
        await limitSets.replace(key, limits, c.get('identity').kind, preconditionOf(c))
        return show(c, role, resource)
      },
    )
}

const environmentOf = ({ defaultRpmLimit: rpm, defaultTpmLimit: tpm, windowSeconds }: Needs['settings']) =>
  environmentLayer(usualLimits({ rpm, tpm, windowSeconds }))

const ownerOf = (role: string | undefined): DefaultsOwner =>
  role === undefined ? { kind: 'system' } : { kind: 'role', role }

interface Defaults {
  readonly role: string | undefined
  readonly resource: string
  /** The own limits, then the inherited ones. */
  readonly layers: readonly Layer[]
  /** The last of the inherited ones. */
  readonly environment: Layer
}

const defaultsJson = ({ role, resource, layers, environment }: Defaults, now: bigint) => {
  const shown = (limits: readonly ExplainedLimit[]) => limits.map((limit) => effectiveLimitJson(limit, now))
  const all = resource === TOTAL_RESOURCE ? layers : [...layers, environment]
  const own = role === undefined && resource === DEFAULT_RESOURCE ? all : layers.slice(0, 1)
  return {
    role: role ?? null,
    resource,
    limits: shown(explainLimits(own)),
    inherited: shown(explainLimits(all.slice(1))),
  }
}
