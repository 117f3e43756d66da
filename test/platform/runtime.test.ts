import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/platform/runtime.ts'

afterEach(() => void vi.unstubAllGlobals())

test.each([undefined, {}, { hrtime: () => [0, 0] }])(
  'is monotonic, in ns, where a runtime has the process %o',
  (runtimeProcess) => {
    vi.stubGlobal('process', runtimeProcess)
    vi.stubGlobal('performance', { now: () => 1234.567891 })
    expect(systemClock.monotonic()).toBe(1_234_567_891n)
  },
)
