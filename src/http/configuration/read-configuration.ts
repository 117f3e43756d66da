import type { ConfiguredKind } from '../../contract/configuration.ts'
import {
  alertNotation,
  entityNotation,
  limitsNotation,
  modelNotation,
  upstreamNotation,
} from '../../contract/notation.ts'
import { invalid } from '../../core/model/errors.ts'
import type { JsonValue } from '../../core/model/json.ts'
import { policyPath } from '../../core/model/policy.ts'
import type { AdminStore, OwnLimitSet } from '../../core/ports/admin-store.ts'
import type { AdminServices, AppDependencies } from '../app-dependencies.ts'
import { etagOf } from '../etag.ts'

export interface ConfigurationNeeds extends Pick<AdminServices, 'upstreams'> {
  readonly store: Pick<
    AdminStore,
    'listModels' | 'listEntities' | 'listPolicies' | 'listAlerts' | 'ownLimitSets' | 'limitedRoles'
  >
  readonly environmentUpstream: AppDependencies['environmentUpstream']
}

/** A page, and the cursor of the next one. Throws `invalid_request` for a cursor that is none. */
export const readConfiguration = async (
  needs: ConfigurationNeeds,
  limit: number,
  cursor: string | undefined,
) => {
  const { section, after } = placeOf(cursor)
  const page = await SECTIONS[section](needs, { limit: Math.min(limit, MOST_PER_READ), after })
  const following = SECTION_NAMES[SECTION_NAMES.indexOf(section) + 1]
  const next = page.next === null ? following : `${section}.${page.next}`
  return { items: page.items, next_cursor: next ?? null }
}

/** Bounds the reads of a page, and its size: each entity may have thousands of characters, and its limits are another read. */
const MOST_PER_READ = 100

interface Configured {
  readonly kind: ConfiguredKind
  readonly id: string
  readonly etag: string
  readonly fixed: boolean
  readonly value: JsonValue
}

interface Section {
  readonly items: readonly Configured[]
  readonly next: string | null
}

type Read = (
  needs: ConfigurationNeeds,
  page: { readonly limit: number; readonly after: string | undefined },
) => Promise<Section>

const configured = (
  kind: ConfiguredKind,
  id: string,
  version: bigint,
  value: JsonValue,
  fixed = false,
): Configured => ({ kind, id, etag: etagOf(version), fixed, value })

const setsOf = (
  kind: 'defaults' | 'limits',
  owner: string,
  sets: readonly OwnLimitSet[],
): readonly Configured[] =>
  sets.map(({ resource, version, limits }) =>
    configured(kind, `${owner}/${resource}`, version, limitsNotation(limits)),
  )

const whole = (items: readonly Configured[]): Section => ({ items, next: null })

const pageOf = (limit: number, after: string | undefined) => ({
  limit,
  ...(after !== undefined && { cursor: after }),
})

const readDefaults: Read = async ({ store }) => {
  const [system, roles] = await Promise.all([store.ownLimitSets({ kind: 'system' }), store.limitedRoles()])
  const items = [...setsOf('defaults', '', system)]
  for (const role of roles)
    items.push(...setsOf('defaults', role, await store.ownLimitSets({ kind: 'role', role })))
  return whole(items)
}

const readEntities: Read = async ({ store }, { limit, after }) => {
  const { items, nextCursor } = await store.listEntities(pageOf(limit, after))
  const sets = await Promise.all(items.map(({ id }) => store.ownLimitSets({ kind: 'entity', id })))
  const entries = items.flatMap((entity, index) => [
    configured('entity', entity.id, entity.version, entityNotation(entity)),
    ...setsOf('limits', entity.id, sets[index] ?? []),
  ])
  return { items: entries, next: nextCursor }
}

const readPolicies: Read = async ({ store }, { limit, after }) => {
  const { items, nextCursor } = await store.listPolicies(pageOf(limit, after))
  const entries = items.map(({ key, version, limits }) =>
    configured('policy', policyPath(key), version, limitsNotation(limits)),
  )
  return { items: entries, next: nextCursor }
}

/** In the order of pages; each is read from its start, or after a cursor of its own. */
const SECTIONS = {
  upstreams: async ({ upstreams, environmentUpstream }) =>
    whole(
      (await upstreams.list()).map((upstream) =>
        configured(
          'upstream',
          upstream.name,
          upstream.version,
          upstreamNotation(upstream),
          upstream === environmentUpstream,
        ),
      ),
    ),
  models: async ({ store }) =>
    whole(
      (await store.listModels()).map((model) =>
        configured('model', model.id, model.version, modelNotation(model.id, model)),
      ),
    ),
  defaults: readDefaults,
  entities: readEntities,
  policies: readPolicies,
  alerts: async ({ store }) =>
    whole(
      (await store.listAlerts()).map((alert) =>
        configured('alert', alert.name, alert.version, alertNotation(alert)),
      ),
    ),
} as const satisfies Record<string, Read>

type SectionName = keyof typeof SECTIONS

const SECTION_NAMES: readonly SectionName[] = [
  'upstreams',
  'models',
  'defaults',
  'entities',
  'policies',
  'alerts',
]

/** The section of a cursor, and the cursor within it. */
const placeOf = (
  cursor = 'upstreams',
): { readonly section: SectionName; readonly after: string | undefined } => {
  const [name, ...rest] = cursor.split('.')
  const section = SECTION_NAMES.find((each) => each === name)
  if (section === undefined) throw invalid('cursor', 'be the next_cursor of a page')
  return { section, after: rest.length === 0 ? undefined : rest.join('.') }
}
