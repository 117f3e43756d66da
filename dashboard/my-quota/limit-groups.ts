import type { OwnLimits } from '../api/responses.ts'
import type { RemainingLimit } from '../limits/remaining-limits.tsx'

export const DEFAULT_RESOURCE = '_default_'

const TOTAL_RESOURCE = '_total_'

const POLICY = /^POLICY:([A-Z_]+):(.+)$/

type OwnLimit = OwnLimits['limits'][number]

/** The limits of one bucket. */
export interface LimitGroup {
  readonly key: string
  readonly title: string
  /** Who shares them, if others do. */
  readonly note: string | undefined
  readonly limits: readonly RemainingLimit[]
}

/** The limits of the key itself first, then those that it shares with others, in the order of the response. */
export const groupsOf = (limits: readonly OwnLimit[], entityId: string): readonly LimitGroup[] => {
  const keys = [...new Set(limits.map(keyOf))]
  const groups = keys.map((key) =>
    groupOf(
      key,
      limits.filter((limit) => keyOf(limit) === key),
      entityId,
    ),
  )
  return groups.toSorted((a, b) => Number(a.note !== undefined) - Number(b.note !== undefined))
}

const keyOf = ({ entity_id, resource }: OwnLimit): string => `${entity_id} ${resource}`

const groupOf = (key: string, limits: readonly OwnLimit[], entityId: string): LimitGroup => {
  const [first] = limits
  return {
    key,
    ...(first === undefined ? { title: '', note: undefined } : namesOf(first, entityId)),
    limits: limits.map(({ limit_name, ...state }) => ({ name: limit_name, ...state })),
  }
}

/** A user and a session have limits of their own, so nobody else shares them. */
const namesOf = (
  { entity_id: owner, resource }: OwnLimit,
  entityId: string,
): Pick<LimitGroup, 'title' | 'note'> => {
  const where = WHERE[resource] ?? `On ${resource}`
  if (owner === entityId) return { title: where, note: undefined }
  const [, scope, selector] = POLICY.exec(owner) ?? []
  if (scope === undefined)
    return { title: `${where} of ${owner}`, note: 'Shared with the other keys below it.' }
  if (scope === 'USER' || scope === 'SESSION')
    return {
      title: scope === 'USER' ? 'Requests that name no user' : 'Requests that name no session',
      note: `Each ${scope.toLowerCase()} has such limits of its own.`,
    }
  return {
    title: `Policy ${scope} ${selector}`,
    note: 'Shared with all requests that the policy applies to.',
  }
}

const WHERE: Readonly<Record<string, string>> = {
  [DEFAULT_RESOURCE]: 'Without a model',
  [TOTAL_RESOURCE]: 'Over all models',
  _other_: 'On all other resources',
}
