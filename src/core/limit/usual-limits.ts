import type { Limit } from './limit.ts'

/** Numbers as settings name them; null: no such limit. */
export interface UsualSizes {
  readonly rpm: number | null
  readonly tpm: number | null
  /** In which both are refilled. */
  readonly windowSeconds: number
}

/** `rpm` on requests and `tpm` on tokens: what the environment says of callers for whom the table has no limits. */
export const usualLimits = ({ rpm, tpm, windowSeconds }: UsualSizes): readonly Limit[] => {
  const size = (capacity: number): Limit['size'] => ({
    algorithm: 'token_bucket',
    capacity,
    refillRate: capacity / windowSeconds,
  })
  return [
    ...(rpm === null ? [] : [{ name: 'rpm', meter: 'requests', size: size(rpm) } as const]),
    ...(tpm === null ? [] : [{ name: 'tpm', meter: 'tokens', size: size(tpm) } as const]),
  ]
}
