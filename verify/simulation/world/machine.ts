import type { Clock } from '../../../src/core/ports/platform.ts'
import type { Scheduler } from './scheduler.ts'

/** The machine of one node. It can freeze and crash, and has its own clocks. */
export interface Machine {
  readonly clock: Clock
  /** Runs an action on the machine: immediately, when it thaws, or never if it has crashed. */
  deliver(happening: () => void): void
  /** The same, after a delay in true time. */
  after(delayNs: number, happening: () => void): void
  /** Freezes until `untilNs`; `stopsMonotonic`: its monotonic clock stops too, as in a Lambda. */
  freeze(untilNs: number, stopsMonotonic: boolean): void
  /** Sets the wall clock forward or back. */
  stepWall(ns: number): void
  /** The current offset of its wall clock from true time. */
  aheadNs(): number
  crash(): void
  isDead(): boolean
  /** The total time that it was frozen, ns. */
  frozenNs(): number
}

export interface MachineOptions {
  /** The true time at the start of the schedule, ns since the epoch. */
  readonly startNs: bigint
  /** The offset of its wall clock from true time. */
  readonly aheadNs: number
  /** ns between ticks of the wall clock: real clocks have a resolution of milliseconds. */
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
