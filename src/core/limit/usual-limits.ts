import type { Limit } from './limit.ts'

/** Numbers as settings name them. */
export interface UsualSizes {
  readonly rpm: number
  readonly tpm: number
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
    { name: 'rpm', meter: 'requests', size: size(rpm) },
    { name: 'tpm', meter: 'tokens', size: size(tpm) },
  ]
}
