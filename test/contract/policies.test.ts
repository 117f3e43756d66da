import { expect, test } from 'vitest'
import { parse } from '../../src/contract/parse.ts'
import { policyParams } from '../../src/contract/policies.ts'
import { policyKeyOf } from '../../src/core/model/policy.ts'

test('a path names a policy by its scope and selector', () => {
  const path = { scope: 'USER_MODEL', selector: 'ann/org/gpt-4' }
  expect(parse(policyParams, path, 'path')).toEqual(policyKeyOf('USER_MODEL', 'ann/org/gpt-4'))
})

test.each([
  ['PLANET', 'earth', 'scope'],
  ['tenant', 'acme', 'scope'],
  ['toString', 'acme', 'scope'],
  ['GLOBAL', 'acme', 'selector'],
  ['TENANT', '*', 'selector'],
  ['TENANT', 'a/b', 'selector'],
  ['TENANT', 'a#b', 'selector'],
  ['API_KEY', '', 'selector'],
  ['MODEL', '/gpt', 'selector'],
  ['USER_MODEL', 'ent-user-2', 'selector'],
  ['USER_MODEL', '/gpt-4o', 'selector'],
  ['USER_MODEL', 'ent-user-2/', 'selector'],
  ['USER_MODEL', 'ent-user-2#gpt-4o', 'selector'],
  ['USER_MODEL', 'a#b/gpt-4o', 'selector'],
])('a path that names no policy is rejected: %s/%s', (scope, selector, field) => {
  expect(() => parse(policyParams, { scope, selector }, 'path')).toThrow(
    expect.objectContaining({ code: 'invalid_request', field }),
  )
})
