import { expect, test } from 'vitest'
import { hrefOf, parseRoute, type Route, titleOf } from '../../dashboard/parts/route.ts'

const ROUTES: readonly Route[] = [
  { view: 'overview' },
  { view: 'entity', id: 'key-bob' },
  { view: 'entity', id: 'a/b#c?d %e' },
  { view: 'entity', id: 'key-bob', section: 'usage' },
  { view: 'try', id: undefined },
  { view: 'try', id: 'a@b:c' },
  { view: 'policies' },
  { view: 'unknown', address: 'nowhere/at/all' },
]

test.each(ROUTES)('parses the address of %o', (route) => {
  expect(parseRoute(hrefOf(route))).toEqual(route)
})

test.each(['', '#', '#/', '#/overview', '#/overview/'])('shows the overview for %j', (hash) => {
  expect(parseRoute(hash)).toEqual({ view: 'overview' })
})

test.each([
  'nowhere',
  'entity',
  'overview/key-bob',
  'entity/key-bob/nowhere',
  'entity/key-bob/keys/more',
  'try/a/b',
  '//',
])('finds no view for %s', (address) => {
  expect(parseRoute(`#/${address}`)).toMatchObject({ view: 'unknown' })
})

test('accepts an address with invalid encoding as it is', () => {
  expect(parseRoute('#/entity/100%')).toEqual({ view: 'entity', id: '100%' })
})

test.each([
  ['', 'Overview · zael'],
  ['#/try', 'Try it · zael'],
  ['#/try/key-bob', 'Try it, key-bob · zael'],
  ['#/policy-check', 'Policy check · zael'],
  ['#/alerts', 'Alerts · zael'],
  ['#/stats', 'Stats · zael'],
  ['#/entity/key-bob', 'key-bob, Limits · zael'],
  ['#/entity/a%2Fb/usage', 'a/b, Usage · zael'],
  ['#/nowhere', 'Page not found · zael'],
])('the title of %j is %j', (hash, title) => {
  expect(titleOf(parseRoute(hash))).toBe(title)
})
