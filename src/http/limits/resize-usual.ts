import { parseLimits } from '../../contract/limits.ts'
import { algorithmOf } from '../../core/bucket/registry.ts'
import { ZaelError } from '../../core/model/errors.ts'
import { limitToJson } from '../../core/model/json.ts'
import type { Limit, TokenBucketSize } from '../../core/model/limit.ts'

/** New amounts of `rpm` and `tpm`; an absent field stays unchanged. */
export interface UsualChange {
  readonly rpm?: number
  readonly tpm?: number
  /** The time in which both refill. */
  readonly windowSeconds?: number
}

const USUAL = [
  { name: 'rpm', meter: 'requests', field: 'rpm_limit' },
  { name: 'tpm', meter: 'tokens', field: 'tpm_limit' },
] as const

const MS_NS = 1e6

/** The size of a limit in the short form: its capacity, and the seconds (to the ms: tokens are whole ns) in which it refills. */
export const usualSize = ({ size }: Pick<Limit, 'size'>) => {
  const { capacity, windowNs } = algorithmOf(size)
  return { capacity, windowSeconds: Math.round(Number(windowNs) / MS_NS) / 1000 }
}

/**
 * The limits `own` with `rpm` and `tpm` replaced by token buckets of another size; the others are unchanged. Sizes that are
 * absent from the change come from the effective limits, or, for the window, from `fallbackSeconds`. Throws
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
    if (size !== undefined)
      limits = checked(replaced(limits, old, { ...old, ...resized(old, size), name, meter }), field)
  }
  return limits
}

/** The entries of a schedule keep their amounts, and refill in the same time as the size. */
const resized = (old: Limit | undefined, size: TokenBucketSize): Pick<Limit, 'size' | 'schedule'> => {
  const { windowSeconds } = usualSize({ size })
  const schedule = old?.schedule?.map((entry) => {
    const { capacity } = usualSize(entry)
    return { ...entry, size: { ...size, capacity, refillRate: capacity / windowSeconds } }
  })
  return { size, ...(schedule !== undefined && { schedule }) }
}

/** undefined: unchanged */
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

/** Applies the rules for all limits; an error names the request's field. */
const checked = (limits: readonly Limit[], field: string): readonly Limit[] => {
  try {
    return parseLimits(limits.map(limitToJson), 'limits')
  } catch (error) {
    if (!(error instanceof ZaelError) || error.field === undefined) throw error
    const reason = error.message.replace(/^limits\[\d+\]\./, '')
    throw new ZaelError('invalid_request', `${field} is invalid: ${reason}`, { field })
  }
}
