import { describe, expect, test } from 'vitest'
import type { LimitState } from '../../../cli/limits/state-text.ts'
import { barText, markOf } from '../../../cli/output/bar.ts'
import { fitted, frameText } from '../../../cli/output/frame.ts'
import { PLAIN, widthOf } from '../../../cli/output/text.ts'

const state = (entity: string, percent: number, rest: Partial<LimitState> = {}): LimitState => ({
  entity,
  resource: '_default_',
  name: 'rpm',
  capacity: 1000,
  used: percent * 10,
  percent,
  ...rest,
})

const frame = (states: readonly LimitState[], columns = 70, rows = 24) =>
  frameText(states, { columns, rows, title: 'the title', style: PLAIN })

test.each([
  [0, '░░░░░░░░░░'],
  [0.01, '▏░░░░░░░░░'],
  [50, '█████░░░░░'],
  [52.5, '█████▎░░░░'],
  [99.99, '█████████▉'],
  [100, '██████████'],
  [140, '██████████'],
])('%d %% in ten columns is %s', (percent, text) => {
  expect(barText(percent, 10)).toBe(text)
})

test('a limit is marked from 80 % on, and at 100 %', () => {
  const style = { ...PLAIN, green: () => 'green', yellow: () => 'yellow', red: () => 'red' }
  expect([0, 79.9, 80, 99.9, 100].map((percent) => markOf(percent, style)('x'))).toEqual([
    'green',
    'green',
    'yellow',
    'yellow',
    'red',
  ])
})

describe('a frame', () => {
  test('lists limits below its title, the most used first', () => {
    expect(frame([state('a', 25), state('bb', 100), state('c', 25)], 69)).toBe(
      [
        'the title',
        'bb  _default_ rpm  ██████████████████████████████  100.0 %  1000/1000',
        'a   _default_ rpm  ███████▌░░░░░░░░░░░░░░░░░░░░░░   25.0 %   250/1000',
        'c   _default_ rpm  ███████▌░░░░░░░░░░░░░░░░░░░░░░   25.0 %   250/1000',
        '',
      ].join('\n'),
    )
  })

  test.each([
    [40, 10],
    [60, 5],
    [200, 50],
  ])('fits into %d columns and %d rows', (columns, rows) => {
    const states = Array.from({ length: 30 }, (_, index) =>
      state(`entity-${index}-日本-with-a-long-name`, index * 3),
    )
    const lines = frame(states, columns, rows).trimEnd().split('\n')
    expect(lines.length).toBeLessThan(rows)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    expect(lines[1]).toContain('entity-29')
    if (rows < 30) expect(lines.at(-1)).toBe(`… and ${30 - (lines.length - 2)} more`)
  })

  test('contains no control character of a name', () => {
    expect(frame([state('a\u001b[2Jb', 1)])).toContain('a\ufffd[2Jb')
  })

  test('states that there are no limits', () => {
    expect(frame([])).toBe('the title\nno limits\n')
  })
})

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdef', 5, 'abcd…'],
  ['日本語', 5, '日本…'],
  ['日本語', 4, '日…'],
])('%s in %d columns is %s', (text, width, shown) => expect(fitted(text, width)).toBe(shown))
