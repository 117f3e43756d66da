import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const FOLDER = new URL('../../docs/decisions/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')

const records = readdirSync(FOLDER)
  .filter((name) => name !== 'README.md')
  .toSorted()
const index = read('README.md')

const titleOf = (name: string): string => /^# \d{3}: (.+)$/m.exec(read(name))?.[1] ?? 'no title'

describe.each(records)('%s', (name) => {
  test('has the sections of the template, in their order', () => {
    expect(read(name)).toMatch(
      /^# \d{3}: .+\n\n- Status: (accepted|superseded by \d{3})\n- Date: \d{4}-\d\d-\d\d\n\n## Context\n[\s\S]+\n## Decision\n[\s\S]+\n## Consequences\n[\s\S]+\n$/,
    )
  })

  test('begins with the number of its file name', () => {
    expect(read(name).slice(0, 6)).toBe(`# ${name.slice(0, 3)}:`)
  })
})

test('the index lists every record under its title, by number', () => {
  const listed = [...index.matchAll(/^\| \[(\d{3})\]\((.+?)\) \| (.+?) \|/gm)].map(([, , file, title]) => [
    file,
    title,
  ])
  expect(listed).toEqual(records.map((name) => [name, titleOf(name)]))
})
