import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { boundedList, openObject, plainRecord } from '../../src/contract/containers.ts'

/** A list of up to three positive numbers, and the number of validated items. */
const counted = () => {
  let visited = 0
  const item = v.custom<number>((value) => {
    visited += 1
    return typeof value === 'number' && value > 0
  })
  const schema = boundedList(item, { least: 1, most: 3, must: 'contain 1 to 3 numbers' })
  const check = (value: unknown) => v.safeParse(schema, value, { abortEarly: true })
  return { check, visited: () => visited }
}

describe('a bounded list', () => {
  test('validates no item if it is too long or too short', () => {
    for (const list of [Array(340_000).fill(1), []]) {
      const { check, visited } = counted()
      expect(check(list).issues?.map(({ message }) => message)).toEqual(['contain 1 to 3 numbers'])
      expect(visited()).toBe(0)
    }
  })

  test('validates no item after the first invalid one, and has one issue', () => {
    const { check, visited } = counted()
    expect(check([1, -1, -1]).issues).toHaveLength(1)
    expect(visited()).toBe(2)
  })

  test('accepts valid lists, and nothing that is not a list', () => {
    expect(counted().check([1, 2, 3])).toMatchObject({ success: true, output: [1, 2, 3] })
    expect(counted().check({ length: 2 }).success).toBe(false)
    expect(counted().check('abc').success).toBe(false)
  })
})

describe('an open object', () => {
  const schema = openObject({ name: v.string(), size: v.nullish(v.number()) })

  test('passes the original object on, with its other fields', () => {
    const sent = { name: 'a', other: { deep: 1 } }
    expect(v.parse(schema, sent)).toBe(sent)
  })

  test('reads none of the other fields', () => {
    const other = () => {
      throw new Error('read')
    }
    const sent = Object.defineProperty({ name: 'a' }, 'other', { enumerable: true, get: other })
    expect(v.is(schema, sent)).toBe(true)
  })

  test.each([
    [{}, 'name'],
    [{ name: 1 }, 'name'],
    [{ name: 'a', size: 'b' }, 'size'],
    ['text', undefined],
    [null, undefined],
  ])('rejects %j', (sent, field) => {
    const { issues, success } = v.safeParse(schema, sent, { abortEarly: true })
    expect([success, issues?.[0]?.path?.[0]?.key]).toEqual([false, field])
  })
})

describe('a plain record', () => {
  const schema = plainRecord(v.string(), v.string())

  test('keeps every name', () => {
    const sent = { toString: 'a', hasOwnProperty: 'b', '': 'c' }
    expect(v.parse(schema, sent)).toEqual(sent)
  })

  test.each(['__proto__', 'prototype', 'constructor'])('rejects the name %s, which it would drop', (name) => {
    const sent: unknown = JSON.parse(`{"a": "b", "${name}": "c"}`)
    const { issues, success } = v.safeParse(schema, sent, { abortEarly: true })
    expect(success).toBe(false)
    expect(issues?.map(({ message, path }) => [message, path?.[0]?.key])).toEqual([
      ['have another name: this one is reserved', name],
    ])
  })

  test.each([[['a']], ['text'], [null]])('rejects %j', (sent) => {
    expect(v.is(schema, sent)).toBe(false)
  })
})
