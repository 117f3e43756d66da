import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readServeOptions, watchNpm } from '../../../bin/serve/start-command.ts'
import { UserError } from '../../../src/command-line/command-line.ts'

test('the default is one process on the port of the settings', () => {
  expect(readServeOptions([])).toEqual({ workers: 1 })
  expect(readServeOptions(['--workers', '64'])).toEqual({ workers: 64 })
  expect(readServeOptions(['-w', '2'])).toEqual({ workers: 2 })
  expect(readServeOptions(['--port', '0'])).toEqual({ workers: 1, port: 0 })
  expect(readServeOptions(['-p', '65535'])).toEqual({ workers: 1, port: 65_535 })
  expect(readServeOptions(['--help', '--workers', '2'])).toBeUndefined()
})

test.each([
  [['--workers', '0'], '--workers must be a whole number from 1 to 64'],
  [['--workers', '65'], '--workers must be a whole number from 1 to 64'],
  [['--workers=-1'], '--workers must be a whole number from 1 to 64'],
  [['--port', '65536'], '--port must be a whole number from 0 to 65535'],
  [
    ['--workers'],
    "Option '-w, --workers <value>' argument missing; the options are --help, --port, --workers",
  ],
  [['--worker', '2'], "Unknown option '--worker'; the options are --help, --port, --workers"],
])('%j is rejected', (args, why) => {
  expect(() => readServeOptions(args)).toThrow(new UserError(why))
})

beforeEach(() => void vi.useFakeTimers())

afterEach(() => void vi.useRealTimers())

const watch = (environment: Readonly<Record<string, string>>, event: 'start' | 'npx' = 'start') => {
  let parent = 42
  const onGone = vi.fn()
  watchNpm({ environment, event, npmId: 42, parentId: () => parent, onGone })
  return {
    onGone,
    leaveOrphaned: () => {
      parent = 1
    },
  }
}

test.each(['start', 'npx'] as const)(
  'the server stops once, when npm %s is no longer its parent',
  (event) => {
    const { onGone, leaveOrphaned } = watch({ npm_lifecycle_event: event }, event)
    vi.advanceTimersByTime(60_000)
    expect(onGone).not.toHaveBeenCalled()
    leaveOrphaned()
    vi.advanceTimersByTime(60_000)
    expect(onGone).toHaveBeenCalledTimes(1)
  },
)

test.each<[name: string, environment: Readonly<Record<string, string>>]>([
  ['not started by npm', {}],
  ['started by another script of npm', { npm_lifecycle_event: 'bench' }],
  ['started by npx, and not as the program of npx', { npm_lifecycle_event: 'npx' }],
])('the server outlives its parent if it was %s', (_, environment) => {
  const { onGone, leaveOrphaned } = watch(environment)
  leaveOrphaned()
  vi.advanceTimersByTime(60_000)
  expect(onGone).not.toHaveBeenCalled()
})
