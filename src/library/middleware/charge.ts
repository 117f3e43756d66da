import type { Cost } from '../../core/model/meter.ts'
import { checkedCost, isPending } from '../arguments.ts'
import type { CheckOptions } from '../limiter/rate-limiter.ts'
import { ONE_REQUEST, type RequestFacts } from '../requests/costs.ts'
import type { MiddlewareOptions } from './rate-limit-options.ts'

/** What a request is charged, and to which resource, user and session. */
export type ChargeOptions = CheckOptions & Required<Pick<CheckOptions, 'cost' | 'hold'>>

/** The charge of each request: always the same object if no option depends on the request. */
export const createCharge = <Native>({
  cost = ONE_REQUEST,
  resource,
  user,
  session,
}: Pick<MiddlewareOptions<Native>, 'cost' | 'resource' | 'user' | 'session'>): ((
  request: RequestFacts<Native>,
) => ChargeOptions | PromiseLike<ChargeOptions>) => {
  const chargeOf = (cost: Cost, request: RequestFacts<Native>): ChargeOptions => {
    const name = typeof resource === 'function' ? resource(request) : resource
    const userName = user?.(request)
    const sessionName = session?.(request)
    return {
      cost,
      hold: true,
      ...(name !== undefined && { resource: name }),
      ...(userName !== undefined && { user: userName }),
      ...(sessionName !== undefined && { session: sessionName }),
    }
  }
  if (typeof cost === 'function') {
    return (request) => {
      const given = cost(request)
      return isPending(given)
        ? given.then((amounts) => chargeOf(checkedCost(amounts, 'cost()'), request))
        : chargeOf(checkedCost(given, 'cost()'), request)
    }
  }
  if (typeof resource === 'function' || user !== undefined || session !== undefined)
    return (request) => chargeOf(cost, request)
  const charge = { cost, hold: true, ...(resource !== undefined && { resource }) }
  return () => charge
}
