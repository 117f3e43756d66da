import { expect, test } from 'vitest'
import { waitText } from '../../../../dashboard/entity/limits-section.tsx'

test.each([
  [0, null, 'May pass now'],
  [3.2, 'tpm', 'May pass in 3.2 s, limited by tpm'],
  [null, 'tpm', 'Can never pass, limited by tpm: the limit is smaller than the request, or paused'],
] as const)('says a wait of %s s as it is', (wait_seconds, limiting, text) => {
  expect(waitText({ entity_id: 'key-bob', wait_seconds, limiting })).toBe(text)
})
