import { expect, test } from 'vitest'
import type { Policy } from '../../dashboard/api/responses.ts'
import { draftedKey, keyOf, keyText, NEW_KEY, policyPath } from '../../dashboard/policies/policy-key.ts'
import { groupPolicies } from '../../dashboard/policies/scope-card.tsx'

const policy = (scope: Policy['scope'], selector: string, more: Partial<Policy> = {}): Policy => ({
  label: `${scope} ${selector}`,
  scope,
  selector,
  limits: [
    { name: 'rph', meter: 'requests', algorithm: 'sliding_window', capacity: 10, source: `policy:${scope}` },
  ],
  ...more,
})

const ALL = [
  policy('GLOBAL', '*'),
  policy('TENANT', 'free_co'),
  policy('TENANT', 'Acme'),
  policy('USER_MODEL', 'eve:gpt-4o', { user: 'eve', model: 'gpt-4o' }),
]

const shown = (search: string) =>
  groupPolicies(ALL, search).map(({ scope, policies }) => [scope, ...policies.map((each) => each.selector)])

test('groups policies by scope, the most specific first, including empty scopes', () => {
  expect(shown('')).toEqual([
    ['USER_MODEL', 'eve:gpt-4o'],
    ['API_KEY'],
    ['TENANT', 'free_co', 'Acme'],
    ['MODEL'],
    ['MODEL_TIER'],
    ['GLOBAL', '*'],
  ])
})

test.each([
  ['acme', [['TENANT', 'Acme']]],
  [' tenant ', [['TENANT', 'free_co', 'Acme']]],
  ['gpt-4', [['USER_MODEL', 'eve:gpt-4o']]],
  ['nobody', []],
])('finds %j', (search, found) => {
  expect(shown(search)).toEqual(found)
})

test('finds policies by the names of their limits', () => {
  expect(shown('rph').length).toBe(3)
})

test.each([
  [{ scope: 'GLOBAL' }, 'api/policies/GLOBAL/*'],
  [{ scope: 'TENANT', entity: ' acme ' }, 'api/policies/TENANT/acme'],
  [{ scope: 'API_KEY', entity: 'key-bob' }, 'api/policies/API_KEY/key-bob'],
  [{ scope: 'MODEL', model: 'openai/o1' }, 'api/policies/MODEL/openai%2Fo1'],
  [{ scope: 'MODEL_TIER', tier: 'premium' }, 'api/policies/MODEL_TIER/premium'],
  [{ scope: 'USER_MODEL', user: 'eve', model: 'openai/o1' }, 'api/policies/USER_MODEL/eve/openai%2Fo1'],
] as const)('keeps %o at its path', (typed, path) => {
  expect(policyPath(draftedKey({ ...NEW_KEY, ...typed }))).toBe(path)
})

test('names a policy as the API does', () => {
  for (const each of ALL) expect(keyText(keyOf(each))).toBe(each.label)
})
