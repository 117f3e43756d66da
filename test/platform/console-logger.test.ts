import { expect, test, vi } from 'vitest'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'

const logged = (level: Parameters<typeof createConsoleLogger>[0]) => {
  const lines: string[] = []
  const logger = createConsoleLogger(level, (line) => lines.push(line))
  logger.debug('a')
  logger.info('b')
  logger.warn('c', { cause: new Error('away'), count: 3n, name: 'two words' })
  logger.error('d')
  return lines
}

test('writes one line of its level and above, with the fields behind the message', () => {
  const lines = logged('warn')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} warn {2}c {2}cause="away" {2}count=3n {2}name="two words"$/,
  )
})

test('writes nothing when silent', () => {
  expect(logged('silent')).toEqual([])
})

test.each([
  ['debug', true],
  ['info', false],
  ['silent', false],
] as const)('at level %s it says whether debug lines are worth making', (level, isDebugOn) => {
  expect(createConsoleLogger(level, () => {}).isDebugOn).toBe(isDebugOn)
})

test('writes to console.error where a runtime has no process', () => {
  const lines: unknown[] = []
  const error = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line))
  vi.stubGlobal('process', undefined)
  try {
    createConsoleLogger('info').warn('the message', { field: 'value' })
  } finally {
    vi.unstubAllGlobals()
    error.mockRestore()
  }
  expect(lines).toEqual([expect.stringMatching(/ warn {2}the message {2}field="value"$/)])
})
