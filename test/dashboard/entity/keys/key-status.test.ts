import { expect, test } from 'vitest'
import { expiryIn } from '../../../../dashboard/entity/key-dialogs.tsx'
import { statusOf } from '../../../../dashboard/entity/keys-section.tsx'

test('tells keys that have expired from those that open and those that were revoked', () => {
  expect(statusOf({ status: 'active', expires_at: null }, 100)).toBe('active')
  expect(statusOf({ status: 'active', expires_at: 101 }, 100)).toBe('active')
  expect(statusOf({ status: 'active', expires_at: 100 }, 100)).toBe('expired')
  expect(statusOf({ status: 'revoked', expires_at: 50 }, 100)).toBe('revoked')
  expect([expiryIn('', 100), expiryIn('0.5', 100)]).toEqual([null, 43_300])
})
