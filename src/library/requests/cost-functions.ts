import type { Cost } from '../../core/model/meter.ts'
import { checkedCost } from '../arguments/checked-cost.ts'
import { invalidArgument } from '../arguments/invalid-argument.ts'
import type { RequestFacts } from './request-facts.ts'

/** Says what a request costs: an estimate where answers are settled. */
export type CostFunction<Native = unknown> = (request: RequestFacts<Native>) => Cost | Promise<Cost>

/** One request, and nothing else. */
export const ONE_REQUEST: Cost = { requests: 1 }

/**
 * So many requests by method, one for methods that are not named. Throws `TypeError` for an amount that is invalid.
 *
 * @example
 * costByMethod({ POST: 5, DELETE: 5 })
 */
export const costByMethod = (requests: Readonly<Record<string, number>>): CostFunction => {
  if (typeof requests !== 'object' || requests === null) {
    throw invalidArgument('costByMethod()', 'get amounts by method, such as { POST: 5 }')
  }
  const costs = new Map<string, Cost>()
  for (const [method, amount] of Object.entries(requests)) {
    costs.set(method.toUpperCase(), checkedCost({ requests: amount }, `costByMethod().${method}`))
  }
  return ({ method }) => costs.get(method) ?? ONE_REQUEST
}
