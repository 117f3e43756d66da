import type { Cost } from '../../core/model/meter.ts'
import { checkedActualCost } from '../arguments.ts'
import type { ResponseFacts, SettleFunction } from '../requests/costs.ts'
import type { MiddlewareParts } from './middleware-parts.ts'

/** A request whose estimate is reserved. */
export interface Reserved {
  readonly parts: MiddlewareParts
  readonly reserved: Cost
}

/** The actual cost of a request, by the app's response. Never throws. */
export const usedBy = async (
  settle: SettleFunction,
  { parts, reserved }: Reserved,
  response: ResponseFacts,
): Promise<Cost> => {
  const used = await actualCost(settle, response, parts)
  return used ?? (response.status < 400 ? {} : requestsAlone(reserved))
}

/** Undefined if the response contains no usage, or the function fails: the response is complete and cannot be replaced. */
const actualCost = async (
  settle: SettleFunction,
  response: ResponseFacts,
  { logger, settleFailed }: MiddlewareParts,
): Promise<Cost | undefined> => {
  try {
    const used = await settle(response)
    return used === undefined || used === null ? undefined : checkedActualCost(used, 'settle()')
  } catch (error) {
    settleFailed((failures) => logger.error('settle failed', { reason: String(error), failures }))
    return undefined
  }
}

/** A failed response without usage costs the request alone. */
const requestsAlone = (reserved: Cost): Cost =>
  Object.fromEntries(
    Object.entries(reserved).map(([meter, amount]) => [meter, meter === 'requests' ? amount : 0]),
  )
