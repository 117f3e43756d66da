import * as v from 'valibot'
import { expect, test } from 'vitest'
import {
  checkId,
  checkLimitName,
  checkModelId,
  checkModelIds,
  checkName,
  checkResource,
} from '../../dashboard/parts/name-rules.ts'
import { id, modelId, resource } from '../../src/contract/fields.ts'
import { limitList } from '../../src/contract/limit-sizes.ts'

const LIMIT = { meter: 'requests', capacity: 1, refill_rate: 1 }

/** What accepts a name: an id, a model, a resource, a limit. */
const RULES = {
  id: { check: checkId, isValid: (name: string) => v.is(id, name) },
  model: { check: checkModelId, isValid: (name: string) => v.is(modelId, name) },
  resource: { check: checkResource, isValid: (name: string) => v.is(resource, name) },
  limit: { check: checkLimitName, isValid: (name: string) => v.is(limitList, [{ ...LIMIT, name }]) },
} as const

type Kind = keyof typeof RULES

/** Names at the bounds of every rule, each with what accepts it. */
const NAMES: readonly (readonly [name: string, accepted: readonly Kind[]])[] = [
  ['key-bob', ['id', 'model', 'resource']],
  ['jwt:a:b@c.d', ['id', 'model', 'resource']],
  ['openai/gpt-4', ['model', 'resource']],
  ['_default_', ['resource']],
  ['_other_', ['resource']],
  ['_nope_', []],
  ['key dora', []],
  ['Ünicode', []],
  ['-first', []],
  ['a'.repeat(128), ['id', 'model', 'resource']],
  ['a'.repeat(129), []],
  ['rpm', ['id', 'model', 'resource', 'limit']],
  ['Rpm', ['id', 'model', 'resource']],
  ['9rpm', ['id', 'model', 'resource']],
  ['a'.repeat(32), ['id', 'model', 'resource', 'limit']],
  ['a'.repeat(33), ['id', 'model', 'resource']],
  ['used', ['id', 'model', 'resource']],
  ['denied_tokens', ['id', 'model', 'resource']],
  ['usedup', ['id', 'model', 'resource', 'limit']],
]

test.each(NAMES)('the dashboard and the API accept %s as %o', (name, accepted) => {
  const rules = Object.entries(RULES)
  const byDashboard = rules.filter(([, { check }]) => check(name) === undefined)
  const byApi = rules.filter(([, { isValid }]) => isValid(name))
  expect(byDashboard.map(([kind]) => kind)).toEqual(accepted)
  expect(byApi.map(([kind]) => kind)).toEqual(accepted)
})

test('an error is a sentence that states the rule', () => {
  const rule = 'be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit'
  expect(checkId('key dora')).toBe(`Must ${rule}`)
  expect(checkModelId('key dora')).toBe(`Must ${rule.replace('@ -', '@ / -')}`)
  expect(checkResource('_nope_')).toBe(`Must ${rule.replace('@ -', '@ / -')}`)
  expect(checkLimitName('Rpm')).toBe('Must be 1 to 32 of a-z 0-9 _ and begin with a letter')
  expect(checkLimitName('used')).toBe('Must not be used or denied, nor begin with used_ or denied_')
})

test('names the first invalid model of several', () => {
  expect(checkModelIds('gpt-4, openai/gpt-4o')).toBeUndefined()
  expect(checkModelIds('gpt-4 über')).toMatch(/^über is not a model id: must be 1 to 128/)
})

test('bounds the name of an entity', () => {
  expect(checkName('x'.repeat(256))).toBeUndefined()
  expect(checkName('x'.repeat(257))).toBe('Must be at most 256 characters')
})
