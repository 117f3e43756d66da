import type { Clock } from '../../src/core/ports/platform.ts'
import { systemClock } from '../../src/platform/runtime.ts'

/** The machine's clock, ahead by `shiftNs`. */
export const createShiftedClock = (shiftNs: bigint): Clock => ({
  now: () => systemClock.now() + shiftNs,
  monotonic: () => systemClock.monotonic(),
})
