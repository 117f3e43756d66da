import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { SETTINGS, UNSUPPORTED_SETTINGS } from '../../src/settings/settings.ts'

const docs = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8')

const codes = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

/**
 * Name and default of every setting in the tables, which list other things as well. A dash is no default; one default may
 * stand for all names.
 */
const documented = docs
  .split('\n')
  .filter((line) => /^\| `[A-Z][A-Z0-9_]+`/.test(line))
  .flatMap((line) => {
    const [, names, defaults] = line.split('|')
    const values = codes(defaults)
    return codes(names).map((name, index) => [name, values[index] ?? null] as const)
  })

test('docs/settings.md lists every setting with its default', () => {
  const actual = Object.values(SETTINGS).map(({ name, defaultText }) => [name, defaultText || null] as const)
  expect(new Map(documented)).toEqual(new Map(actual))
  expect(documented).toHaveLength(actual.length)
})

test.each(UNSUPPORTED_SETTINGS)('docs/settings.md names %s as unsupported', (name) => {
  expect(docs).toContain(`\`${name}\``)
})
