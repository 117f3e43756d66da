import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../../src/platform/powertools.ts'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'

describe('the logger of a server', () => {
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
})

describe('logs and metrics of a Lambda', () => {
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
})

describe('metrics of a server', () => {
  test('shows every counter from the start, and what was counted', async () => {
    const metrics = createPrometheusMetrics()
    metrics.count('decisions_allowed')
    metrics.count('decisions_allowed', 4)
    const text = await metrics.text()
    expect(text).toContain('\nzael_decisions_allowed_total 5\n')
    expect(text).toContain('\nzael_refunds_lost_total 0\n')
  })
})
