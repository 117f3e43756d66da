import { usualSize } from '../../core/admin/limits.ts'
import type { LimitState } from '../../core/decide/decision.ts'
import type { BucketStatus } from '../../core/decide/inspector.ts'
import type { Entity } from '../../core/model/entity.ts'
import type { Limit } from '../../core/model/limit.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { tightestRequests, tightestTokens } from '../../web/described-limits.ts'

const SHOWN_OF_KEY = 8

/** `limits`: those in force on `_default_`. */
export const rateLimitJson = (entity: Entity, bucket: BucketStatus, limits: readonly Limit[]) => ({
  api_key: `${entity.id.slice(0, SHOWN_OF_KEY)}...`,
  status: {
    resource: bucket.resource,
    requests: levelJson(tightestRequests(bucket.limits)),
    tokens: levelJson(tightestTokens(bucket.limits)),
  },
  config: configJson(limits, !entity.bypass),
})

/** `rpm` and `tpm` among the limits. */
export const configJson = (limits: readonly Limit[], enabled: boolean) => {
  const sizeOf = (name: string) => {
    const limit = limits.find((each) => each.name === name)
    return limit && usualSize(limit)
  }
  const [rpm, tpm] = [sizeOf('rpm'), sizeOf('tpm')]
  return {
    tpm_limit: tpm?.capacity ?? null,
    rpm_limit: rpm?.capacity ?? null,
    window_seconds: rpm?.windowSeconds ?? tpm?.windowSeconds ?? null,
    enabled,
  }
}

const levelJson = (state: LimitState | undefined) =>
  state === undefined
    ? null
    : {
        limit: state.capacity,
        used: state.used,
        remaining: state.available,
        reset_after_seconds: secondsOf(state.resetNs),
      }
