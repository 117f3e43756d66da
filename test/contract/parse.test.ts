import * as v from 'valibot'
import { expect, test } from 'vitest'
import { fieldOf, mustOf, parse } from '../../src/contract/parse.ts'
import { policyParams } from '../../src/contract/policies.ts'
import { policyKeyOf } from '../../src/core/model/policy.ts'

const schema = v.strictObject({
  list: v.exactOptional(
    v.pipe(v.array(v.strictObject({ size: v.number() })), v.minLength(1), v.maxLength(2)),
  ),
  word: v.exactOptional(v.pipe(v.string(), v.maxLength(3), v.regex(/^a/, 'begin with an a'))),
  count: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5))),
  choice: v.exactOptional(v.picklist(['x', 'y'])),
  only: v.exactOptional(v.literal('z')),
  flag: v.exactOptional(v.boolean()),
  map: v.exactOptional(v.record(v.string(), v.string())),
})

test.each([
  [null, 'body must be an object'],
  [{ list: {} }, 'list must be a list'],
  [{ list: [] }, 'list must contain at least 1 entries'],
  [{ list: [{ size: 1 }, { size: 1 }, { size: 1 }] }, 'list must contain at most 2 entries'],
  [{ list: [{ size: 1 }, {}] }, 'list[1].size must be given'],
  [{ list: [{ size: '1' }] }, 'list[0].size must be a number'],
  [{ list: [7] }, 'list[0] must be an object'],
  [{ word: 'abcd' }, 'word must be at most 3 characters long'],
  [{ word: 'b' }, 'word must begin with an a'],
  [{ count: 1.5 }, 'count must be an integer'],
  [{ count: 0 }, 'count must be at least 1'],
  [{ count: 9 }, 'count must be at most 5'],
  [{ choice: 'z' }, 'choice must be one of x, y'],
  [{ only: 'x' }, 'only must be one of z'],
  [{ flag: 1 }, 'flag must be true or false'],
  [{ map: 1 }, 'map must be an object'],
  [{ map: { a: 1 } }, 'map.a must be a string'],
  [{ other: 1 }, 'other must not be given: it is not known'],
])('the error for %j is: %s', (input, text) => {
  const [issue] = v.safeParse(schema, input).issues ?? []
  const path = issue?.path?.map(({ key }) => ({
    key: String(key).match(/^\d+$/) ? Number(key) : String(key),
  }))
  expect(`${fieldOf(path, 'body')} must ${mustOf(issue)}`).toBe(text)
})

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
