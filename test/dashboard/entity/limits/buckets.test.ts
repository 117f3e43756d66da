import { expect, test } from 'vitest'
import { inheritedLimits, ownLimits } from '../../../../dashboard/entity/bucket-limits.tsx'

test('tells what is set for a resource from what it inherits', () => {
  const limit = (source: string) => ({
    name: 'rpm',
    meter: 'requests' as const,
    algorithm: 'token_bucket' as const,
    capacity: 10,
    refill_rate: 1,
    source,
  })
  const explained = {
    resource: 'gpt-4',
    limits: [
      {
        name: 'rpm',
        winner: limit('entity:gpt-4'),
        overrides: [limit('entity:_default_'), limit('environment')],
      },
      { name: 'tpm', winner: limit('role:user:gpt-4'), overrides: [] },
    ],
  }
  expect(ownLimits(explained).map(({ source }) => source)).toEqual(['entity:gpt-4'])
  expect(inheritedLimits(explained).map(({ source }) => source)).toEqual([
    'entity:_default_',
    'role:user:gpt-4',
  ])
})
