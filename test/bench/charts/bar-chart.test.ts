import { expect, test } from 'vitest'
import { barChart } from '../../../bench/charts/bar-chart.ts'

const widthsOf = (scale: 'linear' | 'log', values: readonly number[]): readonly number[] => {
  const bars = values.map((value) => ({ title: `bar ${value}`, value }))
  const svg = barChart({ title: 'A title', unit: 'a unit', scale, groups: [{ title: 'a group', bars }] })
  return [...svg.matchAll(/<rect x="270"[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width))
}

test('draws bars as long as their values', () => {
  const [half = 0, whole = 0, none] = widthsOf('linear', [50, 100, 0])
  expect(half / whole).toBeCloseTo(0.5)
  expect(none).toBe(0)
})

test('draws equal factors as equal steps on a log scale', () => {
  const [one = 0, ten = 0, hundred = 0, none] = widthsOf('log', [1, 10, 100, 0])
  expect(ten - one).toBeCloseTo(hundred - ten, 0)
  expect(one).toBeGreaterThan(0)
  expect(none).toBe(0)
})

test('leaves room for the longest bar and its number', () => {
  for (const scale of ['linear', 'log'] as const)
    expect(Math.max(...widthsOf(scale, [3, 400_000]))).toBeLessThan(520)
})

test('escapes texts', () => {
  const svg = barChart({ title: 'a < b & "c"', unit: '', scale: 'linear', groups: [] })
  expect(svg).toContain('a &lt; b &amp; &quot;c&quot;')
})

test('is legible on light and dark pages', () => {
  const svg = barChart({ title: 'A title', unit: 'a unit', scale: 'linear', groups: [] })
  expect(svg).toContain('prefers-color-scheme: dark')
})
