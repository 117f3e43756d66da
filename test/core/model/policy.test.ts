import { describe, expect, test } from 'vitest'
import { bucketKey, policyBucket } from '../../../src/core/bucket/bucket-store.ts'
import {
  byPrecedence,
  isNamedBucketKey,
  nameAsId,
  namedBucketKey,
  POLICY_SCOPES,
  policyKeyOf,
  policyLabel,
  policyName,
  SELECTOR_RULES,
  tenantOfBucketKey,
  userModelOf,
} from '../../../src/core/model/policy.ts'

describe("a policy's key", () => {
  test.each([
    ['GLOBAL', '*', 'GLOBAL *'],
    ['TENANT', 'enterprise_co', 'TENANT enterprise_co'],
    ['API_KEY', 'free-co-key', 'API_KEY free-co-key'],
    ['MODEL', 'org/gpt-4', 'MODEL org/gpt-4'],
    ['MODEL_TIER', 'premium', 'MODEL_TIER premium'],
    ['USER', '*', 'USER *'],
    ['SESSION', 'run:7', 'SESSION run:7'],
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
  const scopes = POLICY_SCOPES.toReversed()
  expect(scopes.toSorted(byPrecedence)).toEqual([...POLICY_SCOPES])
  expect(POLICY_SCOPES).toEqual([
    ...['USER_MODEL', 'SESSION', 'USER', 'API_KEY', 'TENANT', 'MODEL', 'MODEL_TIER', 'GLOBAL'],
  ])
})

describe('the bucket of a user or a session', () => {
  const hash = (text: string) => `${text.length}`.padStart(64, 'f')

  test.each([
    ['ann', 'ann'],
    ['a'.repeat(128), 'a'.repeat(128)],
    ['a'.repeat(129), `h-${'f'.repeat(32)}`],
    ['-', `h-${'f'.repeat(32)}`],
    ['ann@example.com or #1', `h-${'f'.repeat(32)}`],
  ])('belongs to the name %s, which is an id, or to its hash', (name, id) => {
    expect(nameAsId(name, hash)).toBe(id)
  })

  test('has a key with its tenant, by which it is recognized', () => {
    const key = bucketKey(policyBucket(namedBucketKey({ scope: 'USER', tenant: 'acme', name: 'ann' })))
    expect(key).toBe('POLICY#USER#acme#ann')
    expect(isNamedBucketKey(key)).toBe(true)
    expect(tenantOfBucketKey(key)).toBe('acme')
    for (const other of ['POLICY#USER_MODEL#ann#gpt-4', 'POLICY#TENANT#acme', 'ENTITY#acme#gpt-4']) {
      expect(isNamedBucketKey(other)).toBe(false)
      expect(tenantOfBucketKey(other)).toBe('')
    }
  })

  test.each(['-', 'acme/ann', 'acme#ann', '', '**'])(
    'is limited by no policy of the selector "%s"',
    (selector) => {
      expect(SELECTOR_RULES.USER.isMet(selector)).toBe(false)
      expect(SELECTOR_RULES.SESSION.isMet(selector)).toBe(false)
    },
  )
})
