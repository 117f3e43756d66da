import { expect, test } from 'vitest'
import { applyActions } from '../../../src/core/bucket/apply-write.ts'
import { planCarryOver } from '../../../src/core/bucket/carry-over.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import { START } from '../test-clock.ts'
import { limitsOf } from '../test-config.ts'

test('a carry-over removes everything of another algorithm, and keeps attributes that are not state of the limit', () => {
  const [limit] = limitsOf({ rpm: [10, 1] })
  if (!limit) throw new Error('no limit')
  const algorithm = algorithmOf(limit.size)
  const previous = { ...algorithm, text: 'window 10 per 60s', usedMillionths: () => 4_000_000n }
  const seen = {
    born: 1n,
    rev: 7n,
    rpm_limit: previous.text,
    rpm_version: 1n,
    rpm_n: 4n,
    rpm_marks: { a: 0n },
    rpm_burst_tat: 5n,
    denied_rpm: 3n,
  }
  const effective = { limit, algorithm, version: 2n, source: 'entity:_default_', headroom: 0 }
  const { conditions, actions } = planCarryOver(seen, [{ effective, previous }], START)
  expect(conditions).toContainEqual({ is: 'equal', path: 'rev', value: 7n })
  const { ttl, ...after } = applyActions(seen, actions)
  expect(ttl).toBeTypeOf('bigint')
  expect(after).toEqual({
    born: 1n,
    rev: 8n,
    rpm_limit: 'token_bucket 10 per 10s',
    rpm_version: 2n,
    rpm_tat: START + 4_000_000_000n,
    rpm_refunded: 0n,
    rpm_burst_tat: 5n,
    denied_rpm: 3n,
  })
})
