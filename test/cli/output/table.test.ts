import { describe, expect, test } from 'vitest'
import { fieldsText, tableText } from '../../../cli/output/table.ts'
import { printable, styleOf, widthOf } from '../../../cli/output/text.ts'
import { durationText, timeText } from '../../../cli/output/times.ts'

describe('tables', () => {
  const columns = [
    { heading: 'NAME', cell: (row: { name: string; used: number | null }) => row.name },
    { heading: 'USED', cell: (row: { name: string; used: number | null }) => row.used },
  ]

  test('align texts at their start and numbers at their end, without spaces at the end of lines', () => {
    const rows = [
      { name: 'a', used: 5 },
      { name: 'longer', used: 12_345.5 },
    ]
    expect(tableText(rows, columns)).toBe('NAME       USED\na             5\nlonger  12345.5\n')
  })

  test('show what is missing as a dash', () => {
    expect(tableText([{ name: '', used: null }], columns)).toBe('NAME  USED\n-     -\n')
  })

  test('count the columns of wide characters', () => {
    const rows = [
      { name: '日本', used: 1 },
      { name: 'é', used: 2 },
    ]
    expect(tableText(rows, columns)).toBe('NAME  USED\n日本     1\né        2\n')
  })
})

test('fields are aligned below each other; undefined ones are left out', () => {
  expect(fieldsText({ id: 'a', parent: null, cascade: true, role: undefined })).toBe(
    'id       a\nparent   -\ncascade  yes\n',
  )
})

test.each([
  ['\u001b[2J\u001b]0;title\u0007', '\ufffd[2J\ufffd]0;title\ufffd'],
  ['two\r\nlines\u2028', 'two\ufffd\ufffdlines\ufffd'],
  ['\u009b31m\u007f', '\ufffd31m\ufffd'],
  ['a\u202eb', 'a\ufffdb'],
  ['Grüße, 日本 👍', 'Grüße, 日本 👍'],
])('a text of the server cannot control the terminal: %j', (text, shown) => {
  expect(printable(text)).toBe(shown)
  expect(tableText([text], [{ heading: 'X', cell: (cell) => cell }])).toBe(`X\n${shown}\n`)
})

test.each([
  ['abc', 3],
  ['e\u0301', 1],
  ['日本', 4],
  ['👩‍👩‍👧', 2],
  ['', 0],
])('%j takes %d columns', (text, width) => expect(widthOf(text)).toBe(width))

test.each([
  [true, {}, '\u001b[1mx\u001b[22m'],
  [false, {}, 'x'],
  [true, { NO_COLOR: '1' }, 'x'],
  [true, { NO_COLOR: '' }, '\u001b[1mx\u001b[22m'],
  [true, { TERM: 'dumb' }, 'x'],
])('a terminal (%s) with %j shows a heading as %j', (isTTY, environment, shown) => {
  expect(styleOf({ isTTY, write: () => {} }, environment).bold('x')).toBe(shown)
})

test('times are shown in UTC', () => {
  expect(timeText(1_700_000_000)).toBe('2023-11-14 22:13:20Z')
  expect(timeText(null)).toBeNull()
})

test.each([
  [null, 'never'],
  [0, '0s'],
  [5.24, '5.2s'],
  [60, '1m'],
  [200, '3m 20s'],
  [3600, '1h'],
  [3661, '1h 1m'],
  [93_600, '1d 2h'],
])('%j seconds are %s', (seconds, text) => expect(durationText(seconds)).toBe(text))
