import type { Explanation } from '../../api/answers.ts'
import { type Api, pathOf } from '../../api/api.ts'
import type { Meter } from '../../parts/numbers/amount-text.ts'
import type { OwnedLimits } from './owned-limits.ts'

/** What a limit counts, by `meterKey`. */
export type Meters = ReadonlyMap<string, Meter>

export const NO_METERS: Meters = new Map()

export const meterKey = (limit: { readonly entity_id: string; readonly limit_name: string }): string =>
  `${limit.entity_id} ${limit.limit_name}`

const POLICY = /^POLICY:/

/**
 * What the limits of a check count, which only an explanation says: amounts of money need it to be shown in dollars.
 * Undefined if it could not be read.
 */
export const askMeters = async (
  api: Api,
  owned: readonly OwnedLimits[],
  resource: string,
  signal: AbortSignal,
): Promise<Meters | undefined> => {
  const caller = owned.find(({ owner }) => !POLICY.test(owner))?.owner
  if (caller === undefined) return NO_METERS
  try {
    const path = pathOf('api/limits', caller, 'explain')
    const { limits, also_enforced } = await api.get<Explanation>(path, { resource }, signal)
    const buckets = [{ entity_id: caller, limits }, ...also_enforced]
    return new Map(
      buckets.flatMap(({ entity_id, limits }) =>
        limits.map(({ name, winner }) => [meterKey({ entity_id, limit_name: name }), winner.meter] as const),
      ),
    )
  } catch {
    return undefined
  }
}
