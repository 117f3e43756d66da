import { describe, expect, test } from 'vitest'
import type { UsagePoint } from '../../../src/core/model/usage.ts'
import { type EntityUsage, trafficOf } from '../../../src/http/dashboard/traffic.ts'

const HOUR = 3600
const START = 100 * HOUR
const PERIOD = { granularity: 'hour', from: START, to: START + 3 * HOUR } as const

interface Counted {
  readonly requests?: number
  readonly denied?: number
  readonly hour?: number
  readonly resource?: string
}

const point = ({ requests = 0, denied = 0, hour = 0, resource = 'gpt-4' }: Counted): UsagePoint => ({
  start: START + hour * HOUR,
  resource,
  used: { requests, tokens: 0, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 },
  denied,
})

const usage = (id: string, parentId: string | null, ...counted: readonly Counted[]): EntityUsage => ({
  entity: { id, name: `The ${id}`, parentId },
  points: counted.map(point),
})

describe('traffic', () => {
  test('has every hour of the period, and sums resources', () => {
    const { points, admitted, denied } = trafficOf(
      [usage('bob', null, { requests: 2 }, { requests: 3, resource: 'gpt-4o' }, { denied: 4, hour: 2 })],
      PERIOD,
    )
    expect(points).toEqual([
      { start: START, admitted: 5, denied: 0 },
      { start: START + HOUR, admitted: 0, denied: 0 },
      { start: START + 2 * HOUR, admitted: 0, denied: 4 },
    ])
    expect({ admitted, denied }).toEqual({ admitted: 5, denied: 4 })
  })

  test.each([
    ['a parent that counts nothing', 0, 5],
    ['a parent that counts what its children use', 5, 5],
    ['a parent that counts what one of its children uses', 2, 5],
    ['a parent that counts what its children use, and calls itself', 7, 7],
    ['a parent that still counts what a deleted child used', 6, 6],
  ])('counts each request once: %s', (_, ofParent, admitted) => {
    const usages = [
      usage('org', null, { requests: ofParent, denied: 1 }),
      usage('bob', 'org', { requests: 2, denied: 1 }),
      usage('eve', 'org', { requests: 3, denied: 1 }),
    ]
    expect(trafficOf(usages, PERIOD)).toMatchObject({ admitted, denied: 3 })
  })

  test('counts each request once through several generations', () => {
    const usages = [
      usage('org', null, { requests: 9 }),
      usage('team', 'org'),
      usage('bob', 'team', { requests: 4 }),
      usage('eve', 'team', { requests: 5 }),
    ]
    expect(trafficOf(usages, PERIOD).admitted).toBe(9)
  })

  test('counts an entity whose parent was not read', () => {
    expect(trafficOf([usage('bob', 'org', { requests: 4 })], PERIOD).admitted).toBe(4)
  })

  test('names the most denied entities, with their share, and at most twenty', () => {
    const others = Array.from({ length: 25 }, (_, place) => usage(`key-${place + 10}`, null, { denied: 1 }))
    const { top_denied } = trafficOf([...others, usage('bob', null, { denied: 50 }, { denied: 25 })], PERIOD)
    expect(top_denied.length).toBe(20)
    expect(top_denied[0]).toEqual({ entity_id: 'bob', name: 'The bob', denied: 75, share_percent: 75 })
    expect(top_denied[1]).toMatchObject({ entity_id: 'key-10', share_percent: 1 })
  })

  test('is empty without entities', () => {
    expect(trafficOf([], PERIOD)).toMatchObject({ admitted: 0, denied: 0, top_denied: [] })
    expect(trafficOf([usage('bob', null, { requests: 1 })], PERIOD).top_denied).toEqual([])
  })
})
