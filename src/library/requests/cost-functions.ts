import type { Cost } from '../../core/limit/meter.ts'
import type { RequestFacts } from './request-facts.ts'

/** Says what a request costs: an estimate where answers are settled. */
export type CostFunction<Native = unknown> = (request: RequestFacts<Native>) => Cost | Promise<Cost>

/** One request, and nothing else. */
export const ONE_REQUEST: Cost = { requests: 1 }

/**
 * So many requests by method, one for methods that are not named.
 *
 * @example
 * costByMethod({ POST: 5, DELETE: 5 })
 */
export const costByMethod =
  (requests: Readonly<Record<string, number>>): CostFunction =>
  ({ method }) => ({ requests: Object.hasOwn(requests, method) ? (requests[method] ?? 1) : 1 })
