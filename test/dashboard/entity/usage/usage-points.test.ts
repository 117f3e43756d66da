import { describe, expect, test } from 'vitest'
import { sumOf, usageOverTime, usedResources } from '../../../../dashboard/entity/usage-charts.tsx'

const HOUR = 3600
const START = 1_767_225_600
const NOW = START + 30 * 60

const point = (start: number, resource: string, requests: number) => ({
  start,
  resource,
  requests,
  tokens: requests * 10,
  input_tokens: requests * 4,
  output_tokens: requests * 6,
  cost_usd_micros: requests,
  denied: 1,
})

describe('usage over time', () => {
  test('has every hour, also the idle ones, oldest first, and all resources of an hour together', () => {
    const points = [point(START, 'gpt-4', 2), point(START, 'gpt-4o', 3), point(START - 2 * HOUR, 'gpt-4', 1)]
    const hours = usageOverTime(points, { granularity: 'hour', now: NOW })
    expect(hours).toHaveLength(24)
    expect(hours.map(({ start }) => start)).toEqual(hours.map((_, index) => START - (23 - index) * HOUR))
    expect(hours.slice(-3).map(({ requests, denied }) => [requests, denied])).toEqual([
      [1, 1],
      [0, 0],
      [5, 2],
    ])
  })

  test('has 30 days', () => {
    const days = usageOverTime([point(START, 'gpt-4', 2)], { granularity: 'day', now: NOW })
    expect(days).toHaveLength(30)
    expect(days.at(-1)).toMatchObject({ start: START, requests: 2 })
  })

  test('reaches to an hour of a server whose clock is ahead', () => {
    const hours = usageOverTime([point(START + HOUR, 'gpt-4', 2)], { granularity: 'hour', now: NOW })
    expect(hours.at(-1)).toMatchObject({ start: START + HOUR, requests: 2 })
  })

  test('adds up, and names the resources once', () => {
    const points = [point(START, 'b', 2), point(START, 'a', 3), point(START - HOUR, 'b', 1)]
    expect(sumOf(points)).toMatchObject({ requests: 6, tokens: 60, denied: 3 })
    expect(usedResources(points)).toEqual(['a', 'b'])
  })
})
