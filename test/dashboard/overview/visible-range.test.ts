import { describe, expect, test } from 'vitest'
import { offsetsOf, visibleRange } from '../../../dashboard/overview/virtual-list.tsx'

describe('the rows in sight', () => {
  const offsets = offsetsOf([10, 20, 10, 40, 10])

  test.each([
    [0, 5, 0, 1],
    [0, 10, 0, 2],
    [9, 30, 0, 3],
    [10, 29, 1, 2],
    [35, 79, 2, 4],
    [-500, -10, 0, 1],
    [500, 900, 4, 5],
    [-500, 900, 0, 5],
  ])('between %i and %i px are those from %i up to %i', (top, bottom, start, end) => {
    expect(visibleRange(offsets, top, bottom, 0)).toEqual({ start, end })
  })

  test('come with a few more at both ends, as far as there are any', () => {
    expect(visibleRange(offsets, 31, 35, 1)).toEqual({ start: 1, end: 4 })
    expect(visibleRange(offsets, 31, 35, 9)).toEqual({ start: 0, end: 5 })
  })

  test('are none of none', () => {
    expect(visibleRange(offsetsOf([]), 0, 900, 5)).toEqual({ start: 0, end: 0 })
  })

  test('are few of very many', () => {
    const many = offsetsOf(Array.from({ length: 100_000 }, () => 50))
    expect(visibleRange(many, 2_000_000, 2_000_900, 0)).toEqual({ start: 40_000, end: 40_019 })
  })
})
