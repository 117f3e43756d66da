import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchNpm } from '../../../bin/serve/watch-npm.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const watch = (environment: Readonly<Record<string, string>>) => {
  let parent = 42
  const onGone = vi.fn()
  watchNpm({ environment, npmId: 42, parentId: () => parent, onGone })
  return {
    onGone,
    leaveOrphaned: () => {
      parent = 1
    },
  }
}

test('stops once, when npm is no longer the parent', () => {
  const { onGone, leaveOrphaned } = watch({ npm_lifecycle_event: 'start' })
  vi.advanceTimersByTime(60_000)
  expect(onGone).not.toHaveBeenCalled()
  leaveOrphaned()
  vi.advanceTimersByTime(60_000)
  expect(onGone).toHaveBeenCalledTimes(1)
})

test.each<[name: string, environment: Readonly<Record<string, string>>]>([
  ['not started by npm', {}],
  ['started by another script of npm', { npm_lifecycle_event: 'bench' }],
])('outlives its parent where it was %s', (_, environment) => {
  const { onGone, leaveOrphaned } = watch(environment)
  leaveOrphaned()
  vi.advanceTimersByTime(60_000)
  expect(onGone).not.toHaveBeenCalled()
})
