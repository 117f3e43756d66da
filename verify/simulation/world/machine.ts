import type { Clock } from '../../../src/core/ports/platform.ts'
import type { Scheduler } from './scheduler.ts'

/** The machine of one node: it can freeze, and crash; its clocks are its own. */
export interface Machine {
  readonly clock: Clock
  /** Lets something happen on it: at once, when it thaws, or never where it has crashed. */
  deliver(happening: () => void): void
  /** The same after so long by true time. */
  after(delayNs: number, happening: () => void): void
  /** Stands still until `untilNs`; `stopsMonotonic`: so does its monotonic clock, as a Lambda's. */
  freeze(untilNs: number, stopsMonotonic: boolean): void
  /** Its wall clock is set forward, or back. */
  stepWall(ns: number): void
  /** By how much its wall clock is ahead of true time now. */
  aheadNs(): number
  crash(): void
  isDead(): boolean
  /** ns that it stood still for so far */
  frozenNs(): number
}

export interface MachineOptions {
  /** ns since the epoch at the schedule's beginning, by true time */
  readonly startNs: bigint
  /** By how much its wall clock is ahead of true time. */
  readonly aheadNs: number
  /** ns between ticks of the wall clock: machines tell milliseconds. */
  readonly tickNs: number
}

export const createMachine = (scheduler: Scheduler, options: MachineOptions): Machine => {
  let aheadNs = options.aheadNs
  let isDead = false
  let frozenUntil = 0
  let frozen = 0
  let monotonicStood = 0
  const tick = BigInt(options.tickNs)
  const deliver = (happening: () => void): void => {
    if (isDead) return
    if (scheduler.now() < frozenUntil) scheduler.at(frozenUntil, () => deliver(happening))
    else happening()
  }
  return {
    clock: {
      now() {
        const exact = options.startNs + BigInt(scheduler.now() + aheadNs)
        return exact - (exact % tick)
      },
      monotonic: () => BigInt(scheduler.now() - monotonicStood) + 1_000_000_000n,
    },
    deliver,
    after: (delayNs, happening) => scheduler.at(scheduler.now() + delayNs, () => deliver(happening)),
    freeze(untilNs, stopsMonotonic) {
      const more = Math.max(0, Math.round(untilNs) - Math.max(scheduler.now(), frozenUntil))
      frozenUntil = Math.max(frozenUntil, Math.round(untilNs))
      frozen += more
      if (stopsMonotonic) monotonicStood += more
    },
    stepWall(ns) {
      aheadNs += ns
    },
    aheadNs: () => aheadNs,
    crash() {
      isDead = true
    },
    isDead: () => isDead,
    frozenNs: () => frozen,
  }
}
