import type { Decision } from '../deciding/decision.ts'
import type { Model } from '../entity/model.ts'
import type { Logger } from '../ports/logger.ts'

/** Told of each decision on a model; warns, once for each model, where a budget cannot bind because the model has no prices. */
export type UnpricedWatch = (model: Pick<Model, 'id' | 'prices'>, decision: Decision) => void

/** Models of which it is known that they were warned of. */
const MOST_KNOWN = 1_000

export const createUnpricedWatch = (logger: Logger): UnpricedWatch => {
  const warned = new Set<string>()
  return ({ id, prices }, { limits }) => {
    if (prices !== null || warned.has(id)) return
    const budget = limits.find(({ limit }) => limit.meter === 'cost_usd_micros')
    if (budget === undefined || warned.size >= MOST_KNOWN) return
    warned.add(id)
    logger.warn('A budget does not bind: the model has no prices', {
      model: id,
      entityId: budget.entityId,
      limitName: budget.limit.name,
    })
  }
}
