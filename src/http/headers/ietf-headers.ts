import { bucketKey } from '../../core/bucket/bucket-store.ts'
import type { LimitState, Violation } from '../../core/decide/decision.ts'
import { isEnforced } from '../../core/model/limit.ts'
import { TOTAL_RESOURCE } from '../../core/model/limit-set.ts'
import { ceilSeconds } from './go-duration.ts'
import type { Headers } from './headers.ts'

/** Integers of structured fields have at most 15 digits. https://www.rfc-editor.org/rfc/rfc9651#name-integers */
const MAX_INTEGER = 999_999_999_999_999

/**
 * RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11: one item for each enforced limit of the
 * caller's own, and for each of another's that denied (`"proj-demo/rpm"`, `"GLOBAL/rph"`). `t` is the time to the end of a
 * fixed window; other limits have it only where nothing is left: before, a bucket that refills all the time has no window
 * in which what is left is all there is.
 */
export const addIetf = (
  headers: Headers,
  limits: readonly LimitState[],
  violations: readonly Violation[],
): void => {
  const own = limits.filter((state) => state.own && isEnforced(state.limit))
  const others = violations.flatMap(({ state }) => (state.own ? [] : [state]))
  const listed = [...own, ...others]
  if (listed.length === 0) return
  headers['ratelimit-policy'] = listed.map(policyItem).join(', ')
  headers.ratelimit = listed.map((state) => limitItem(state, retryAfterOf(state, violations))).join(', ')
}

/** A name of an item: `"rpm"`; the bucket over all resources may have a limit of the same name. */
const nameOf = ({ limit, resource, own, bucket }: LimitState): string => {
  const name = resource === TOTAL_RESOURCE && bucket.kind === 'entity' ? `total/${limit.name}` : limit.name
  return own ? `"${name}"` : `"${bucket.kind === 'policy' ? bucket.scope : bucket.entityId}/${name}"`
}

const policyItem = (state: LimitState): string => {
  const { meter } = state.limit
  const window = Math.max(1, Math.round(Number(state.windowNs) / 1e9))
  const item = `${nameOf(state)};q=${integer(state.capacity)};w=${integer(window)}`
  return meter === 'requests' ? item : `${item};zael-meter="${meter}"`
}

const limitItem = (state: LimitState, retryAfterNs: bigint | undefined): string => {
  const item = `${nameOf(state)};r=${integer(state.available)}`
  const windowNs = state.endsInNs ?? (state.available > 0 ? undefined : retryAfterNs)
  return windowNs === undefined ? item : `${item};t=${integer(Number(ceilSeconds(windowNs)))}`
}

/** ns until the denied request would pass; where this limit did not deny it, or always will, until one token is there. */
const retryAfterOf = (state: LimitState, violations: readonly Violation[]): bigint | undefined => {
  const violation = violations.find(
    (each) =>
      each.state.limit.name === state.limit.name && bucketKey(each.state.bucket) === bucketKey(state.bucket),
  )
  return violation?.retryAfterNs ?? state.nextNs
}

const integer = (value: number): number => Math.min(Math.trunc(value), MAX_INTEGER)
