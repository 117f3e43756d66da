import type { Decision, LimitState, Violation } from '../core/decide/decision.ts'
import type { Meter } from '../core/model/meter.ts'
import { roundedUp, SECOND_NS, smaller } from '../core/model/time.ts'
import { describedMeter } from './described-limits.ts'

/** The names of the headers for a meter. */
interface Triple {
  readonly meter: Meter
  readonly limit: string
  readonly remaining: string
  readonly reset: string
}

const tripleOf = (meter: Meter, what: string): Triple => ({
  meter,
  limit: `anthropic-ratelimit-${what}-limit`,
  remaining: `anthropic-ratelimit-${what}-remaining`,
  reset: `anthropic-ratelimit-${what}-reset`,
})

const TRIPLES: readonly Triple[] = [
  tripleOf('requests', 'requests'),
  tripleOf('tokens', 'tokens'),
  tripleOf('input_tokens', 'input-tokens'),
  tripleOf('output_tokens', 'output-tokens'),
]

/** The names of Anthropic's headers, for Access-Control-Expose-Headers. */
export const ANTHROPIC_HEADERS: readonly string[] = TRIPLES.flatMap(({ limit, remaining, reset }) => [
  limit,
  remaining,
  reset,
])

/**
 * Anthropic's headers: a triple for each meter that has a limit. `now` is the time of the decision, ns since the epoch.
 * https://docs.claude.com/en/api/rate-limits#response-headers
 */
export const addAnthropic = (headers: Record<string, string>, decision: Decision, now: bigint): void => {
  const violations: readonly Violation[] = decision.allowed ? [] : decision.violations
  for (const { meter, limit, remaining, reset } of TRIPLES) {
    const state: LimitState | undefined = describedMeter(decision.limits, violations, meter)
    if (state === undefined) continue
    headers[limit] = String(state.capacity)
    headers[remaining] = String(state.available)
    headers[reset] = rfc3339(now + state.resetNs)
  }
}

/** The last second of the year 9999: a longer debt would exceed the range of dates. */
const LATEST_SECOND = 253_402_300_799n

/** To the second, rounded up: `2026-08-21T12:41:00Z`. */
const rfc3339 = (ns: bigint): string => {
  const second = roundedUp(ns, SECOND_NS)
  const whole = smaller(second, LATEST_SECOND)
  return `${new Date(Number(whole) * 1000).toISOString().slice(0, 19)}Z`
}
