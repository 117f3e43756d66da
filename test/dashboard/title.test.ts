import { expect, test } from 'vitest'
import { parseRoute, titleOf } from '../../dashboard/parts/route.ts'

test.each([
  ['', 'Overview · zael'],
  ['#/try', 'Try it · zael'],
  ['#/try/key-bob', 'Try it, key-bob · zael'],
  ['#/policy-check', 'Policy check · zael'],
  ['#/stats', 'Stats · zael'],
  ['#/entity/key-bob', 'key-bob, Limits · zael'],
  ['#/entity/a%2Fb/usage', 'a/b, Usage · zael'],
  ['#/nowhere', 'Page not found · zael'],
])('the title of %j is %j', (hash, title) => {
  expect(titleOf(parseRoute(hash))).toBe(title)
})
