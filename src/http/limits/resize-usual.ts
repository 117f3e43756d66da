import { parseLimits } from '../../contract/limits.ts'
import { algorithmOf } from '../../core/bucket/registry.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { limitToJson } from '../../core/model/json.ts'
import type { Limit, TokenBucketSize } from '../../core/model/limit.ts'

/** What to make of `rpm` and `tpm`; what is left out stays as it is. */
export interface UsualChange {
  readonly rpm?: number
  readonly tpm?: number
  /** In which both are refilled. */
  readonly windowSeconds?: number
}

const USUAL = [
  { name: 'rpm', meter: 'requests', field: 'rpm_limit' },
  { name: 'tpm', meter: 'tokens', field: 'tpm_limit' },
] as const

const MS_NS = 1e6

/** The usual size of a limit: what it holds, and the seconds (to the ms: tokens are whole ns) in which that comes back. */
export const usualSize = ({ size }: Pick<Limit, 'size'>) => {
  const { capacity, windowNs } = algorithmOf(size)
  return { capacity, windowSeconds: Math.round(Number(windowNs) / MS_NS) / 1000 }
}

/**
 * The limits `own` with `rpm` and `tpm` as token buckets of another size, in their places; the others as they are. What
 * the change leaves open is taken from the limits in force, and the window else from `fallbackSeconds`. Throws
 * `invalid_request` that names `rpm_limit` or `tpm_limit`.
 */
export const resizeUsual = (
  own: readonly Limit[],
  effective: readonly Limit[],
  change: UsualChange,
  fallbackSeconds: number,
): readonly Limit[] => {
  let limits = own
  for (const { name, meter, field } of USUAL) {
    const size = sizeAfter(
      effective.find((limit) => limit.name === name),
      change[name],
      change.windowSeconds,
      fallbackSeconds,
    )
    const old = limits.find((limit) => limit.name === name)
    if (size !== undefined) limits = checked(replaced(limits, old, { ...old, name, meter, size }), field)
  }
  return limits
}

/** undefined: it stays as it is */
const sizeAfter = (
  known: Limit | undefined,
  amount: number | undefined,
  windowSeconds: number | undefined,
  fallbackSeconds: number,
): TokenBucketSize | undefined => {
  const before = known && usualSize(known)
  const capacity = amount ?? (windowSeconds === undefined ? undefined : before?.capacity)
  if (capacity === undefined) return undefined
  const seconds = windowSeconds ?? before?.windowSeconds ?? fallbackSeconds
  return { algorithm: 'token_bucket', capacity, refillRate: capacity / seconds }
}

const replaced = (limits: readonly Limit[], old: Limit | undefined, by: Limit): readonly Limit[] =>
  old === undefined ? [...limits, by] : limits.map((limit) => (limit === old ? by : limit))

/** By the rules that hold for all limits; what they say is said of the field that asked for it. */
const checked = (limits: readonly Limit[], field: string): readonly Limit[] => {
  try {
    return parseLimits(limits.map(limitToJson), 'limits')
  } catch (error) {
    if (!(error instanceof ZaelError) || error.field === undefined) throw error
    throw invalid(field, `make a limit that can be: ${error.message.replace(/^limits\[\d+\]\./, '')}`)
  }
}
