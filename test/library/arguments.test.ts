import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkedActualCost, checkedCost } from '../../src/library/arguments.ts'
import { RATE_LIMITER_OPTIONS } from '../../src/library/limiter/limiter-options.ts'
import { RATE_LIMIT_OPTIONS } from '../../src/library/middleware/rate-limit-options.ts'
import { DYNAMO_DB_STORE_OPTIONS } from '../../src/library/stores/dynamo-db-store.ts'

const METERS = 'requests, tokens, input_tokens, output_tokens, cost_usd_micros'

const failure = (field: string, message: string) =>
  expect.objectContaining({ name: 'TypeError', code: 'invalid_request', field, message })

/** What no cost can be: the field that the error names, and what it must be. */
const WRONG: readonly (readonly [cost: unknown, field: string, must: string])[] = [
  [{ request: 1 }, 'cost.request', `not be given; known meters are ${METERS}`],
  [{ requests: 1, token: 5 }, 'cost.token', `not be given; known meters are ${METERS}`],
  [{ requests: -1 }, 'cost.requests', 'be a whole number of at least 0'],
  [{ tokens: 1.5 }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: Number.NaN }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: Number.POSITIVE_INFINITY }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: 2 ** 53 }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: '5' }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: 5n }, 'cost.tokens', 'be a whole number of at least 0'],
  [{ tokens: null }, 'cost.tokens', 'be a whole number of at least 0'],
]

describe('a cost', () => {
  test.each([[{ requests: 1 }], [{ tokens: 0 }], [{ cost_usd_micros: Number.MAX_SAFE_INTEGER }], [{}]])(
    'may be %j',
    (cost) => {
      expect(checkedCost(cost)).toEqual(cost)
    },
  )

  test.each(WRONG)('cannot be %o', (cost, field, must) => {
    expect(() => checkedCost(cost)).toThrow(failure(field, `${field} must ${must}`))
  })

  // Without amounts of its own, each of these would be charged nothing.
  test.each([5, '5', null, undefined, true, [], [1], new Map([['requests', 1]]), Promise.resolve({})])(
    'is an object of amounts, not %o',
    (cost) => {
      const message = `cost must be an object of amounts such as { requests: 1 }; known meters are ${METERS}`
      expect(() => checkedCost(cost)).toThrow(failure('cost', message))
    },
  )

  test('stays as it was checked when the app changes its object, and is read once', () => {
    const reused = { tokens: 5 }
    const checked = checkedCost(reused)
    reused.tokens = 1.5
    expect(checked).toEqual({ tokens: 5 })
    const amounts = [5, Number.NaN]
    const changing = Object.defineProperty({}, 'tokens', { enumerable: true, get: () => amounts.shift() })
    expect(checkedCost(changing)).toEqual({ tokens: 5 })
  })

  test('names an amount that is undefined', () => {
    expect(() => checkedCost({ tokens: undefined })).toThrow(/^cost\.tokens must be a whole number/)
  })
})

describe('an actual cost', () => {
  test('leaves out a meter that is undefined', () => {
    expect(checkedActualCost({ requests: 1, tokens: undefined })).toEqual({ requests: 1 })
  })

  test.each(WRONG)('cannot be %o', (cost, field, must) => {
    const named = field.replace('cost', 'actual')
    expect(() => checkedActualCost(cost)).toThrow(failure(named, `${named} must ${must}`))
  })
})

const text = readFileSync(new URL('../../docs/library.md', import.meta.url), 'utf8')

/** The names in the first column of the table of options below a heading. */
const documented = (heading: string): readonly string[] => {
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  const [, table = ''] = own.split('| option | |\n| --- | --- |\n')
  const rows = table.split('\n\n')[0]?.split('\n') ?? []
  return rows.flatMap((row) =>
    [...(row.split(' | ')[0]?.matchAll(/`(\w+)`/g) ?? [])].map(([, name = '']) => name),
  )
}

describe('the table of options', () => {
  test.each([
    ['A limiter', RATE_LIMITER_OPTIONS],
    ['Stores', DYNAMO_DB_STORE_OPTIONS],
    ['Middleware', RATE_LIMIT_OPTIONS],
  ])('of "%s" names every option once, and no other', (heading, known) => {
    expect([...documented(heading)].sort()).toEqual(Object.keys(known).sort())
  })
})
