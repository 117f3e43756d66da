import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/model/json.ts'
import { sampleOf } from '../../../src/gateway/simulated/json-sample.ts'

test.each<[string, JsonObject, JsonValue]>([
  ['a text', { type: 'string' }, 'simulated'],
  ['a short text', { type: 'string', maxLength: 3 }, 'sim'],
  ['a long text', { type: 'string', minLength: 12 }, 'simulated...'],
  ['a date', { type: 'string', format: 'date' }, '2026-01-01'],
  ['an integer', { type: 'integer' }, 1],
  ['an integer within bounds', { type: 'integer', minimum: 5, maximum: 7 }, 5],
  ['an integer above a bound', { type: 'integer', exclusiveMinimum: 5 }, 6],
  ['an integer at most', { type: 'integer', maximum: -3 }, -3],
  ['an integer below a bound', { type: 'integer', exclusiveMaximum: 0 }, -1],
  ['a multiple', { type: 'integer', minimum: 7, multipleOf: 5 }, 10],
  ['a number between bounds', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, 0.25],
  ['a boolean', { type: 'boolean' }, true],
  ['null', { type: 'null' }, null],
  ['one of several', { enum: ['a', 'b'] }, 'a'],
  ['a constant', { const: { x: 1 } }, { x: 1 }],
  ['a type that may be null', { type: ['null', 'string'] }, 'simulated'],
  [
    'an object with what is required',
    { type: 'object', properties: { a: { type: 'integer' }, b: {} }, required: ['a'] },
    { a: 1 },
  ],
  ['an object by its properties', { properties: { a: { type: 'null' } }, required: ['a'] }, { a: null }],
  ['a required property without a schema', { type: 'object', required: ['a'] }, { a: 'simulated' }],
  [
    'a property with the name of a prototype',
    { type: 'object', required: ['constructor'] },
    { constructor: 'simulated' },
  ],
  ['a list', { type: 'array', items: { type: 'integer' } }, [1]],
  [
    'a list of several that differ',
    { type: 'array', items: { type: 'integer' }, minItems: 3, uniqueItems: true },
    [1, 2, 3],
  ],
  ['a list that is empty', { type: 'array', items: {}, maxItems: 0 }, []],
  [
    'a list of enumerated values',
    { type: 'array', items: { enum: ['a', 'b'] }, minItems: 3 },
    ['a', 'b', 'a'],
  ],
  ['a tuple', { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'boolean' }] }, [1, true]],
  ['the first alternative', { anyOf: [{ type: 'integer' }, { type: 'string' }] }, 1],
  [
    'an alternative beside other fields',
    {
      type: 'object',
      properties: { a: { type: 'null' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { a: null },
  ],
  [
    'all parts together',
    {
      allOf: [
        { properties: { a: { type: 'null' } }, required: ['a'] },
        { properties: { b: { type: 'boolean' } }, required: ['b'] },
      ],
    },
    { a: null, b: true },
  ],
  ['a reference', { $ref: '#/$defs/x~1y', $defs: { 'x/y': { type: 'boolean' } } }, true],
  ['a reference to nothing', { $ref: '#/$defs/none' }, 'simulated'],
  ['anything', {}, 'simulated'],
])('a sample of %s', (_, schema, expected) => {
  expect(sampleOf(schema)).toEqual(expected)
})

const names = (count: number) => Array.from({ length: count }, (_, at) => `p${at}`)

describe('a schema that refers to itself', () => {
  test('has a sample where an alternative ends it', () => {
    const node = {
      type: 'object',
      properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
      required: ['value', 'next'],
    }
    const text = JSON.stringify(sampleOf(node))
    expect(text).toContain('"next":null')
    expect(text.split('"value"').length).toBeLessThan(6)
  })

  test('has a sample where a list ends it', () => {
    const node = {
      type: 'object',
      properties: { children: { type: 'array', items: { $ref: '#' } } },
      required: ['children'],
    }
    expect(JSON.stringify(sampleOf(node))).toContain('[]')
  })

  test.each<[string, JsonObject]>([
    ['without an end', { properties: { a: { $ref: '#' }, b: { $ref: '#' } }, required: ['a', 'b'] }],
    ['in all of its parts', { allOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['in each alternative', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['as its own reference', { $ref: '#' }],
    [
      'in many places to a large part',
      {
        properties: Object.fromEntries(
          names(900).map((name) => [name, { allOf: [{ $ref: '#/$defs/large' }] }]),
        ),
        required: names(900),
        $defs: { large: { properties: Object.fromEntries(names(100_000).map((name) => [name, {}])) } },
      },
    ],
    ['in long lists', { type: 'array', items: { $ref: '#' }, minItems: 1_000_000 }],
    [
      'with thousands of properties',
      {
        properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, { $ref: '#' }])),
        required: Array.from({ length: 20_000 }, (_, at) => `p${at}`),
        anyOf: [{ $ref: '#' }],
      },
    ],
  ])('%s has a bounded sample', (_, schema) => {
    // unbounded work would end with the test's time
    expect((JSON.stringify(sampleOf(schema)) ?? '').length).toBeLessThan(100_000)
  })
})
