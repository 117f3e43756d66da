import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Headers } from '../../../src/http/headers/headers.ts'
import { addWarning } from '../../../src/http/headers/warning-header.ts'
import { allowedBy, stateOf, violationOf } from './limit-states.ts'

const warningHeader = (decision: Decision): Headers => {
  const headers: Headers = {}
  addWarning(headers, decision)
  return headers
}

describe('X-RateLimit-Warning', () => {
  it("names the caller's own limits that are nearly used up", () => {
    const near = stateOf({ capacity: 10, available: 2 })
    const far = stateOf({ name: 'tpm', capacity: 10, available: 3 })
    const parents = stateOf({ name: 'rpd', capacity: 10, available: 0, own: false })
    expect(warningHeader(allowedBy(near, far, parents))).toEqual({
      'x-ratelimit-warning': 'rpm;used=8;limit=10',
    })
    expect(warningHeader(allowedBy(far, parents))).toEqual({})
  })

  it('names what would have denied, and keeps silent of a shadow', () => {
    const warning = stateOf({ mode: 'warn', capacity: 10, available: 5 })
    const shadow = stateOf({ name: 'tpm', mode: 'shadow', capacity: 10, available: 0 })
    const reported = [violationOf(warning, 6, 1n), violationOf(shadow, 1, 1n)]
    expect(warningHeader({ ...allowedBy(warning, shadow), reported })).toEqual({
      'x-ratelimit-warning': 'rpm;used=5;limit=10',
    })
  })
})
