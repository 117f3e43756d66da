import { setImmediate as nextTurn } from 'node:timers/promises'
import { NO_CHARGES } from '../../../src/core/charge/reservation-store.ts'
import type { Decision, DecisionRequest } from '../../../src/core/decide/decision.ts'
import type { Limiter } from '../../../src/core/decide/limiter.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import { allowedBy, stateOf } from '../../web/limit-states.ts'

export interface FakeLimiter extends Limiter {
  /** Its calls: `decide`, `settle`, `release`, oldest first. */
  readonly calls: (readonly [name: string, what?: unknown])[]
  /** The actual cost of the first settlement, once there is one. */
  settled(): Promise<Cost>
}

const unused = (): never => {
  throw new Error('a chat must not call this')
}

/** Returns `decision` for every request, and records the settlements. */
export const createFakeLimiter = (
  decision: Decision = allowedBy(stateOf({ capacity: 10, available: 9 })),
): FakeLimiter => {
  const calls: FakeLimiter['calls'] = []
  let tell: (actual: Cost) => void = () => {}
  const settled = new Promise<Cost>((resolve) => {
    tell = resolve
  })
  const reservation = {
    charges: NO_CHARGES,
    // asynchronous, like a store
    async settle(actual: Cost) {
      await nextTurn()
      calls.push(['settle', actual])
      tell(actual)
    },
    async release() {
      await nextTurn()
      calls.push(['release'])
    },
  }
  return {
    calls,
    settled: () => settled,
    decideAtOnce: () => undefined,
    async decide(request: DecisionRequest) {
      calls.push(['decide', request])
      return decision.allowed ? { ...decision, reservation } : decision
    },
    settleCharges: unused,
    renewSlots: unused,
    foreseesDenial: unused,
    largestAdmissible: async () => ({}),
    prepare: unused,
    checkPolicies: unused,
    explain: unused,
    explainOthers: unused,
    status: unused,
    statusOfNamed: unused,
    statusOfOthers: unused,
    observe: unused,
    prepareObserving: unused,
    waitTime: unused,
    reset: unused,
    topUp: unused,
    resetPolicy: unused,
    removePolicyBucket: unused,
    forget: unused,
    flush: unused,
  }
}
