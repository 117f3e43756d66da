import { ENVIRONMENT } from '../bucket/effective-limit.ts'
import type { Entity } from '../model/entity.ts'
import type { Limit } from '../model/limit.ts'
import {
  DEFAULT_RESOURCE,
  type LimitOwner,
  type LimitSet,
  type LimitSetKey,
  limitSetText,
  TOTAL_RESOURCE,
} from '../model/limit-set.ts'
import { selectorText } from '../model/policy.ts'
import type { ConfigReads } from './config-cache.ts'

/** One source of limits. Lists of layers are ordered nearest first. */
export interface Layer {
  /** `entity:gpt-4`, `role:admin:_default_`, `system:_default_`, `policy:TENANT:acme`, `environment`. */
  readonly source: string
  /** undefined: every resource */
  readonly resource: string | undefined
  readonly limits: readonly Limit[]
  readonly version: bigint
  /** As in `LimitSet`. */
  readonly since?: bigint
  readonly hasNames?: boolean
  /** Whether it belongs to the entity itself, and is not a default of its role or of the system. */
  readonly isOwn: boolean
}

/** The limit sets that apply to `entity` as a caller on a resource, nearest first. */
export const callerKeys = (entity: Entity, resource: string): readonly LimitSetKey[] => [
  ...ownKeys(entity.id, resource),
  ...(entity.role === null ? [] : onResource({ kind: 'role', role: entity.role }, resource)),
  ...onResource({ kind: 'system' }, resource),
]

/** The limit sets of an entity that also apply to its children. Defaults apply to callers only. */
export const ownKeys = (entityId: string, resource: string): readonly LimitSetKey[] =>
  onResource({ kind: 'entity', id: entityId }, resource)

/** The owners of defaults, which apply to callers without an own limit of that name. */
export type DefaultsOwner = Extract<LimitOwner, { readonly kind: 'role' | 'system' }>

/** The limit sets of the defaults of a role or of the system, and those that they override. */
export const defaultsKeys = (owner: DefaultsOwner, resource: string): readonly LimitSetKey[] => [
  ...(owner.kind === 'role' ? onResource(owner, resource) : []),
  ...onResource({ kind: 'system' }, resource),
]

/** `_total_` is enforced in addition to every resource, so it inherits from none. */
const onResource = (owner: LimitOwner, resource: string): readonly LimitSetKey[] =>
  resource === TOTAL_RESOURCE || resource === DEFAULT_RESOURCE
    ? [{ owner, resource }]
    : [
        { owner, resource },
        { owner, resource: DEFAULT_RESOURCE },
      ]

export const layerOf = ({ owner, resource }: LimitSetKey, set: LimitSet | undefined): Layer => ({
  source: sourceOf(owner, resource),
  resource,
  limits: set?.limits ?? [],
  version: set?.version ?? 0n,
  ...(set?.since !== undefined && { since: set.since }),
  ...(set?.hasNames && { hasNames: true }),
  isOwn: owner.kind === 'entity',
})

const sourceOf = (owner: LimitOwner, resource: string): string => {
  switch (owner.kind) {
    case 'role':
      return `role:${owner.role}:${resource}`
    case 'policy':
      return `policy:${owner.scope}:${selectorText(owner)}`
    default:
      return `${owner.kind}:${resource}`
  }
}

/** The defaults of the environment: every limit in the table overrides them. */
export const environmentLayer = (limits: readonly Limit[]): Layer => ({
  source: ENVIRONMENT,
  resource: undefined,
  limits,
  version: 0n,
  isOwn: false,
})

/** Returns the layers of keys that were read. */
export type LayersOf = (keys: readonly LimitSetKey[]) => readonly Layer[]

/** Reads all limit sets at once. */
export const readLayers = async (
  reads: Pick<ConfigReads, 'limitSets'>,
  keys: readonly LimitSetKey[],
): Promise<LayersOf> => {
  const unique = new Map(keys.map((key) => [limitSetText(key), key]))
  const sets = await reads.limitSets([...unique.values()])
  const layers = new Map([...unique].map(([text, key], index) => [text, layerOf(key, sets[index])]))
  return (wanted) => wanted.flatMap((key) => layers.get(limitSetText(key)) ?? [])
}
