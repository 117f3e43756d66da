import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  ASSUMED,
  breakEven,
  breakEvenText,
  costTable,
  decisionWrites,
  monthlyCost,
  PRICES,
  scalingTable,
  serviceCost,
  serviceTable,
  totalOf,
  totalOfService,
} from '../../scripts/cost-model.ts'

test('is one write per bucket and request if decisions are exact', () => {
  expect(decisionWrites(10, 'exact')).toBe(20)
  // 20 writes and 4.2 of the aggregator per second
  expect(monthlyCost(10, 'exact').dynamoDb).toBeCloseTo((24.2 * 2_628_000 * 0.625) / 1e6, 6)
})

test('is never higher with leases, which are charged at most four times per second', () => {
  for (const rate of [0.1, 1, 10, 100, 1000]) {
    expect(decisionWrites(rate, 'leased')).toBeLessThanOrEqual(decisionWrites(rate, 'exact'))
    expect(totalOf(monthlyCost(rate, 'leased'))).toBeLessThanOrEqual(totalOf(monthlyCost(rate, 'exact')))
  }
  // one instance: the parent's bucket by leases, the key's bucket per request
  expect(decisionWrites(20, 'leased')).toBe(20 + 4)
})

test('of a service, does not grow with requests where leases serve them', () => {
  // two tasks: eight writes per second for the parent's bucket and for each of 20 keys
  expect(decisionWrites(1000, 'leased', 'service')).toBe(8 + 8 * 20)
  expect(decisionWrites(1000, 'exact', 'service')).toBe(2000)
  // 730 h of two tasks, of a load balancer that passes 7.2 GB per hour, of a NAT gateway and three addresses
  const cost = serviceCost(1000, 'leased')
  expect(cost.fargate).toBeCloseTo(2 * (0.032_38 + 2 * 0.003_56) * 730, 6)
  expect(cost.loadBalancer).toBeCloseTo((0.0225 + 7.2 * 0.008) * 730, 6)
  expect(cost.network).toBeCloseTo((0.045 + 0.015) * 730, 6)
  expect(serviceCost(5000, 'leased').tasks).toBe(10)
})

test.each(['exact', 'leased'] as const)('of a service is lower from its break-even on, %s', (writing) => {
  const rate = breakEven(writing)
  const isLower = (at: number): boolean =>
    totalOfService(serviceCost(at, writing)) < totalOf(monthlyCost(at, writing))
  expect([isLower(rate - 1), isLower(rate)]).toEqual([false, true])
  for (const higher of [rate * 2, rate * 10, rate * 100]) expect(isLower(higher)).toBe(true)
})

test.each([
  ['cost.md', [costTable]],
  ['scaling.md', [breakEvenText, scalingTable, serviceTable]],
] as const)('is in %s as computed', (name, texts) => {
  const document = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
  for (const textOf of texts) expect(document).toContain(textOf())
})

test('in scaling.md states the prices and assumptions that are computed with', () => {
  const document = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8')
  const { fargateCpuHour, fargateGigabyteHour, loadBalancerHour, capacityUnitHour } = PRICES
  for (const price of [fargateCpuHour, fargateGigabyteHour, loadBalancerHour, capacityUnitHour]) {
    expect(document).toContain(`$${price}`)
  }
  expect(document).toContain(`one per ${ASSUMED.checksPerTask} checks per second`)
  expect(document).toContain(`one connection per ${ASSUMED.checksPerConnection} checks`)
})
