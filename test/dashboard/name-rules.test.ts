import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import {
  checkId,
  checkLimitName,
  checkModelId,
  checkModelIds,
  checkName,
  checkResource,
} from '../../dashboard/parts/name-rules.ts'
import { id, modelId, resource } from '../../src/contract/fields.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import { ENTITY_BOUNDS } from '../../src/core/model/entity.ts'

/** Names at the bounds of every rule. */
const NAMES = [
  'key-bob',
  'jwt:a:b@c.d',
  'openai/gpt-4',
  '_default_',
  '_other_',
  '_nope_',
  'key dora',
  'Ünicode',
  '-first',
  'a'.repeat(128),
  'a'.repeat(129),
  'rpm',
  'Rpm',
  '9rpm',
  'a'.repeat(32),
  'a'.repeat(33),
  'used',
  'denied_tokens',
  'usedup',
]

/** The message of the API's rule: `Must be 1 to 128 of …`. */
const sentence = (rule: string) => `Must ${rule}`

const ruleOf = (schema: Parameters<typeof v.safeParse>[0], name: string): string | undefined => {
  const { issues } = v.safeParse(schema, name)
  return issues?.[0] && sentence(issues[0].message)
}

const limitNameRule = (name: string): string | undefined => {
  try {
    parseLimits([{ name, meter: 'requests', capacity: 1, refill_rate: 1 }], 'limits')
    return undefined
  } catch (error) {
    return sentence(String(error).replace(/^.*?limits\[0\]\.name must /, ''))
  }
}

describe.each(NAMES)('the dashboard validates the name %s as the API does', (name) => {
  test('of an entity, a model and a limit', () => {
    expect(checkId(name)).toBe(ruleOf(id, name))
    expect(checkModelId(name)).toBe(ruleOf(modelId, name))
    expect(checkResource(name) === undefined).toBe(v.is(resource, name))
    expect(checkLimitName(name)).toBe(limitNameRule(name))
  })
})

test('names the first invalid model of several', () => {
  expect(checkModelIds('gpt-4, openai/gpt-4o')).toBeUndefined()
  expect(checkModelIds('gpt-4 über')).toMatch(/^über is not a model id: must be 1 to 128/)
})

test('bounds the name of an entity as the API does', () => {
  expect(checkName('x'.repeat(ENTITY_BOUNDS.nameLength))).toBeUndefined()
  expect(checkName('x'.repeat(ENTITY_BOUNDS.nameLength + 1))).toMatch(/at most 256/)
})
