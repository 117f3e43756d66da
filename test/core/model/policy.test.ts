import { describe, expect, test } from 'vitest'
import { bucketKey, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import {
  byPrecedence,
  POLICY_SCOPES,
  policyKeyOf,
  policyLabel,
  policyName,
  userModelOf,
} from '../../../src/core/model/policy.ts'

describe("a policy's key", () => {
  test.each([
    ['GLOBAL', '*', 'GLOBAL *'],
    ['TENANT', 'enterprise_co', 'TENANT enterprise_co'],
    ['API_KEY', 'free-co-key', 'API_KEY free-co-key'],
    ['MODEL', 'org/gpt-4', 'MODEL org/gpt-4'],
    ['MODEL_TIER', 'premium', 'MODEL_TIER premium'],
    ['USER_MODEL', 'ent-user-2/gpt-4o', 'USER_MODEL ent-user-2:gpt-4o'],
    ['USER_MODEL', 'ent-user-2/org/gpt-4o', 'USER_MODEL ent-user-2:org/gpt-4o'],
  ] as const)('is read from a path: %s/%s', (scope, selector, label) => {
    const key = policyKeyOf(scope, selector)
    expect(policyLabel(key)).toBe(label)
    expect(policyName(key)).toBe(`POLICY:${label.replace(' ', ':')}`)
  })

  test('keeps user and model apart, even if their names run into each other', () => {
    const [one, other] = [policyKeyOf('USER_MODEL', 'a:b/c'), policyKeyOf('USER_MODEL', 'a/b:c')]
    expect(bucketKey(policyBucket(one))).not.toBe(bucketKey(policyBucket(other)))
    expect(userModelOf(one)).toEqual({ user: 'a:b', model: 'c' })
    expect(userModelOf(other)).toEqual({ user: 'a', model: 'b:c' })
    expect(userModelOf(policyKeyOf('TENANT', 'a'))).toBeUndefined()
  })
})

test('scopes are ordered from a user on a model to everyone', () => {
  const scopes = ['GLOBAL', 'MODEL', 'TENANT', 'USER_MODEL', 'API_KEY', 'MODEL_TIER'] as const
  expect(scopes.toSorted(byPrecedence)).toEqual([...POLICY_SCOPES])
  expect(POLICY_SCOPES).toEqual(['USER_MODEL', 'API_KEY', 'TENANT', 'MODEL', 'MODEL_TIER', 'GLOBAL'])
})
