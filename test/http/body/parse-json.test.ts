import { describe, expect, test } from 'vitest'
import { CHARS_PER_TURN, parseJson } from '../../../src/http/body/parse-json.ts'
import { JSON_BOUNDS } from '../../../src/web/json-scan.ts'

/** The outcome, and how many turns others were given. */
const parsing = async (text: string) => {
  let turns = 0
  const nextTurn = async () => {
    turns += 1
  }
  const outcome = await parseJson(text, { nextTurn }).then(
    (value) => ({ value }),
    (error: Error) => ({ message: error.message }),
  )
  return { ...outcome, turns }
}

const list = (count: number, item = '1'): string => `[${Array(count).fill(item).join(',')}]`
const fields = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

describe('parsing the JSON of a client', () => {
  test.each([
    ['{"a":[1,"\\"}{",null]}', { a: [1, '"}{', null] }],
    [`  ${nested(1)}`, [[]].flat()],
    ['"text"', 'text'],
  ])('gives the value of %s without a turn', async (text, value) => {
    expect(await parsing(text)).toEqual({ value, turns: 0 })
  })

  test.each([
    ['99,999 values in a list', list(99_999)],
    ['20,000 fields', fields(20_000)],
    ['100 levels', nested(100)],
    ['a text of a megabyte', JSON.stringify('x'.repeat(1_048_000))],
  ])('takes %s', async (_, text) => {
    expect(await parsing(text)).toMatchObject({ value: JSON.parse(text) })
  })

  test.each([
    ['100,001 values', list(100_000), 'body must contain at most 100,000 JSON values'],
    ['340,000 checks', list(340_000, '{}'), 'body must contain at most 100,000 JSON values'],
    ['20,001 fields', fields(20_001), 'body must contain at most 20,000 fields, in all objects together'],
    ['90,000 fields', fields(90_000), 'body must contain at most 20,000 fields, in all objects together'],
    ['101 levels', nested(101), 'body must nest at most 100 levels deep'],
    ['half a million levels', '['.repeat(500_000), 'body must nest at most 100 levels deep'],
    [
      'half a million objects that never end',
      '{"a":'.repeat(200_000),
      'body must nest at most 100 levels deep',
    ],
    ['what is not JSON', '{"a":', 'body must be well-formed JSON'],
    ['nothing', '', 'body must be well-formed JSON'],
    ['what is not JSON at its end', `${list(90_000)}]`, 'body must be well-formed JSON'],
  ])('refuses %s', async (_, text, message) => {
    expect(await parsing(text)).toMatchObject({ message })
  })

  test('yields after each run of a scan, and before and after it parses', async () => {
    const text = JSON.stringify('x'.repeat(10 * CHARS_PER_TURN - 2))
    expect(await parsing(text)).toMatchObject({ turns: 9 + 2 })
  })

  test('scans no further than to the value that is one too many', async () => {
    const far = list(1_000_000)
    const scanned = Math.ceil((2 * JSON_BOUNDS.values) / CHARS_PER_TURN)
    expect((await parsing(far)).turns).toBeLessThanOrEqual(scanned)
  })
})
