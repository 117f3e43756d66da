import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { RATE_LIMITER_OPTIONS } from '../../src/library/limiter/limiter-options.ts'
import { RATE_LIMIT_OPTIONS } from '../../src/library/middleware/rate-limit-options.ts'
import { DYNAMO_DB_STORE_OPTIONS } from '../../src/library/stores/dynamo-db-store.ts'

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
