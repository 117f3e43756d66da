import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../../src/platform/powertools.ts'

let written = ''

beforeEach(() => {
  written = ''
  const write = (text: string | Uint8Array): boolean => {
    written += String(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(write)
  vi.spyOn(process.stderr, 'write').mockImplementation(write)
})

afterEach(() => {
  vi.restoreAllMocks()
})

const lines = () =>
  written
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('logs JSON lines with the fields beside the message, of its level and above', () => {
  const logger = createPowertoolsLogger('zael-api', 'info')
  logger.debug('too small')
  logger.info('decided', { entityId: 'key-bob', waitNs: 5n })
  logger.error('failed', { error: new Error('away') })
  expect(lines()).toMatchObject([
    { level: 'INFO', message: 'decided', service: 'zael-api', entityId: 'key-bob' },
    { level: 'ERROR', message: 'failed', error: { name: 'Error', message: 'away' } },
  ])
})

test('publishes what was counted in one line, once', () => {
  const metrics = createPowertoolsMetrics('zael-api')
  metrics.count('bucket_writes')
  metrics.count('bucket_writes', 2)
  metrics.count('decisions_allowed')
  metrics.publish()
  metrics.publish()
  const [line, ...more] = lines()
  expect(more).toEqual([])
  expect(line).toMatchObject({ bucket_writes: 3, decisions_allowed: 1, service: 'zael-api' })
  expect(line._aws.CloudWatchMetrics[0].Namespace).toBe('Zael')
})

test('publishes nothing where nothing was counted', () => {
  const metrics = createPowertoolsMetrics('zael-api')
  metrics.count('usage_hours_recorded', 0)
  metrics.publish()
  expect(written).toBe('')
})
