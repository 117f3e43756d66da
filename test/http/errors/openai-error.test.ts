import { describe, expect, test } from 'vitest'
import { denialError, limitWording } from '../../../src/http/errors/openai-error.ts'
import { deniedBy, SECOND, stateOf, tpm, violationOf } from '../../web/limit-states.ts'

const subject = { model: 'gpt-4', organization: 'proj-demo' }

const DAY = 86_400n * SECOND

describe('a denial', () => {
  test.each([
    [
      'of requests',
      violationOf(stateOf({ capacity: 10, available: 0 }), 1, 6n * SECOND),
      'Rate limit reached for gpt-4 in organization proj-demo on requests per min (RPM): Limit 10, Used 10, Requested 1. Please try again in 6s.',
      'requests',
      'rate_limit_exceeded',
    ],
    [
      'of tokens',
      violationOf(tpm({ capacity: 30_000, available: 15_433 }), 24_754, 18_642_000_000n),
      'Rate limit reached for gpt-4 in organization proj-demo on tokens per min (TPM): Limit 30000, Used 14567, Requested 24754. Please try again in 18.642s.',
      'tokens',
      'rate_limit_exceeded',
    ],
    [
      'that no time cures',
      violationOf(tpm({ capacity: 30_000, available: 30_000 }), 61_337, null),
      'Request too large for gpt-4 in organization proj-demo on tokens per min (TPM): Limit 30000, Requested 61337. The request must be made smaller: it can never pass.',
      'tokens',
      'rate_limit_exceeded',
    ],
    [
      'that a budget is too small for',
      violationOf(
        stateOf({ name: 'budget', meter: 'cost_usd_micros', capacity: 5000, available: 5000, windowNs: DAY }),
        10_150,
        null,
      ),
      'Request too large for gpt-4 in organization proj-demo on micro-dollars per day (USDPD): Limit 5000, Requested 10150. The request must be made smaller: it can never pass.',
      'insufficient_quota',
      'insufficient_quota',
    ],
    [
      'of a quota',
      violationOf(tpm({ name: 'tpd', capacity: 100, available: 0, windowNs: DAY }), 10, 8640n * SECOND),
      'Quota exceeded for gpt-4 in organization proj-demo on tokens per day (TPD): Limit 100, Used 100, Requested 10. Please try again in 2h24m0s.',
      'insufficient_quota',
      'insufficient_quota',
    ],
  ])("%s has OpenAI's wording", (_, violation, message, type, code) => {
    expect(denialError(deniedBy([violation]), subject)).toEqual({ message, type, param: null, code })
  })

  test.each([
    ['the longest wait', [6n, 18n], 'tokens'],
    ['what can never pass', [null, 18n], 'requests'],
    ['what can never pass, wherever it stands', [6n, null], 'tokens'],
    ["the caller's own limit where the waits are equal", [6n, 6n], 'tokens'],
  ])('names %s', (_, [first, second], type) => {
    const ns = (seconds: bigint | null | undefined) => (seconds == null ? null : seconds * SECOND)
    const violations = [
      violationOf(stateOf({ capacity: 10, available: 0, own: false, entityId: 'proj-demo' }), 1, ns(first)),
      violationOf(tpm({ capacity: 10, available: 0 }), 1, ns(second)),
    ]
    expect(denialError(deniedBy(violations), subject).type).toBe(type)
  })
})

describe('a limit', () => {
  test.each([
    ['requests', 1n, 'requests per sec (RPS)'],
    ['requests', 60n, 'requests per min (RPM)'],
    ['input_tokens', 60n, 'input tokens per min (ITPM)'],
    ['output_tokens', 3600n, 'output tokens per hour (OTPH)'],
    ['tokens', 86_400n, 'tokens per day (TPD)'],
    ['requests', 30n * 86_400n, 'requests per month'],
    ['requests', 90n, 'requests per 90s'],
    ['cost_usd_micros', 86_400n, 'micro-dollars per day (USDPD)'],
  ] as const)('on %s in %d seconds is called by its unit', (meter, seconds, words) => {
    expect(limitWording(stateOf({ meter, capacity: 7, available: 7, windowNs: seconds * SECOND }))).toBe(
      words,
    )
  })

  test('is per minute even if its rate was rounded', () => {
    expect(limitWording(stateOf({ capacity: 7, available: 7, windowNs: 60_000_000_002n }))).toBe(
      'requests per min (RPM)',
    )
  })
})
