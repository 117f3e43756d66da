import type { Decision, LimitState } from '../../core/decide/decision.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { type PolicyUse, policyUses } from '../../core/decide/policy-use.ts'
import { policyLabel, selectorText } from '../../core/model/policy.ts'
import { degradedField } from '../../web/denial-json.ts'

/** What a gateway is told of a decision on policies alone. */
export const policyCheckJson = (decision: Decision) => {
  const uses = policyUses(decision)
  const [primary] = uses
  return {
    allowed: decision.allowed,
    cause: decision.allowed ? null : causeOf(uses),
    primary: primary
      ? { label: policyLabel(primary.key), ...countsJson(primary), percent: percentOf(primary) }
      : null,
    policies: decision.allowed ? uses.map(fulfilledJson) : [],
    ...degradedField(decision),
  }
}

/** What failed, most specific first: `TENANT exceeded: 51/50 in the last 3600 seconds (key=TENANT:free_co); also violated: …`. */
const causeOf = ([primary, ...others]: readonly PolicyUse[]): string | null => {
  if (primary === undefined) return null
  const { key, state } = primary
  const first = `${key.scope} exceeded: ${countOf(primary)} ${windowWording(state)} (key=${key.scope}:${selectorText(key)})`
  if (others.length === 0) return first
  return `${first}; also violated: ${others.map((use) => `${use.key.scope} (${countOf(use)})`).join(', ')}`
}

const countOf = ({ count, state }: PolicyUse): string => `${count}/${state.capacity}`

/** In which time so much is too much. */
const windowWording = (state: LimitState): string => {
  const { size } = state.limit
  switch (size.algorithm) {
    case 'sliding_window':
      return `in the last ${windowSeconds(state)} seconds`
    case 'fixed_window':
      return `in the current ${size.window}`
    case 'token_bucket':
      return `per ${windowSeconds(state)} seconds`
  }
}

const fulfilledJson = (use: PolicyUse) => ({
  label: policyLabel(use.key),
  scope: use.key.scope,
  selector: selectorText(use.key),
  ...countsJson(use),
  window_minutes: Math.round((windowSeconds(use.state) / 60) * 1000) / 1000,
})

const countsJson = ({ count, state }: PolicyUse) => ({
  count,
  limit: state.capacity,
  window_seconds: windowSeconds(state),
})

/** To the millisecond. */
const windowSeconds = ({ windowNs }: LimitState): number => Math.round(Number(windowNs) / 1e6) / 1000

const percentOf = ({ count, state }: PolicyUse): number =>
  Math.min(100, Math.round(usedShare({ used: count, capacity: state.capacity }) * 1000) / 10)
