import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)

const code = readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `${name}\n${readFileSync(new URL(`src/${name}`, ROOT), 'utf8')}`)
  .join('\n')

const longest = (texts: readonly string[]): string => texts.toSorted((a, b) => b.length - a.length)[0] ?? ''

/** The names in the column "in code"; of a pattern such as `<limit>_tat` or `ENTITY#<id>` its longest fixed part. */
const named = readFileSync(new URL('docs/glossary.md', ROOT), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| term '))
  .flatMap((line) => [...(line.split(' | ')[2] ?? '').matchAll(/`([^`]+)`/g)])
  .map(([, text = '']) => longest(text.split(/<[^>]*>|…/)).replace(/^_/, ''))

test('every name in the glossary is in the sources', () => {
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((name) => !code.includes(name))).toEqual([])
})
