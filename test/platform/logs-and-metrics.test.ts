import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { UpstreamMetrics } from '../../src/core/ports/upstreams.ts'
import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../../src/platform/powertools.ts'
import { createPrometheusMetrics, sumOfMetrics } from '../../src/platform/prometheus-metrics.ts'

const observeUpstreams = (metrics: UpstreamMetrics): void => {
  const main = { upstream: 'main', model: 'gpt-4' }
  for (const outcome of ['ok', 'rate_limited', 'ok'] as const) metrics.ended(main, outcome)
  metrics.responded(main, 0.5)
  metrics.responded(main, 1)
  metrics.fellBack(main)
  metrics.rested(main)
  metrics.ended({ ...main, upstream: 'spare' }, 'ok')
}

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

  test('publishes what happened at upstreams in lines with their names, once', () => {
    const metrics = createPowertoolsMetrics('zael-api')
    observeUpstreams(metrics.upstreams)
    metrics.publish()
    metrics.publish()
    const at = { service: 'zael-api', upstream: 'main', model: 'gpt-4' }
    expect(lines()).toMatchObject([
      { ...at, outcome: 'ok', upstream_requests: 2 },
      { ...at, outcome: 'rate_limited', upstream_requests: 1 },
      { ...at, upstream_fallbacks: 1, upstream_rests: 1, upstream_response_seconds: 0.75 },
      { ...at, upstream: 'spare', outcome: 'ok', upstream_requests: 1 },
    ])
    expect(lines().map((line) => line._aws.CloudWatchMetrics[0].Dimensions)).toMatchObject([
      [['service', 'upstream', 'model', 'outcome']],
      [['service', 'upstream', 'model', 'outcome']],
      [['service', 'upstream', 'model']],
      [['service', 'upstream', 'model', 'outcome']],
    ])
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

  test('shows what happened at upstreams, and which of them rest', async () => {
    const metrics = createPrometheusMetrics()
    observeUpstreams(metrics.upstreams)
    metrics.upstreams.began({ upstream: 'main', model: 'gpt-4' }, 700)
    const state = { model: 'gpt-4', factor: 1, lastFailure: null }
    metrics.watch({
      upstreamStates: () => [
        { ...state, upstream: 'main', restsUntil: 1n },
        { ...state, upstream: 'spare', factor: 0.25, restsUntil: null },
      ],
    })
    const text = await metrics.text()
    for (const line of [
      '# TYPE zael_upstream_requests_total counter',
      'zael_upstream_requests_total{upstream="main",model="gpt-4",outcome="ok"} 2',
      'zael_upstream_requests_total{upstream="main",model="gpt-4",outcome="rate_limited"} 1',
      'zael_upstream_requests_total{upstream="spare",model="gpt-4",outcome="ok"} 1',
      'zael_upstream_fallbacks_total{upstream="main",model="gpt-4"} 1',
      'zael_upstream_rests_total{upstream="main",model="gpt-4"} 1',
      '# TYPE zael_upstream_response_seconds histogram',
      'zael_upstream_response_seconds_bucket{upstream="main",model="gpt-4",le="0.25"} 0',
      'zael_upstream_response_seconds_bucket{upstream="main",model="gpt-4",le="0.5"} 1',
      'zael_upstream_response_seconds_bucket{upstream="main",model="gpt-4",le="1"} 2',
      'zael_upstream_response_seconds_bucket{upstream="main",model="gpt-4",le="+Inf"} 2',
      'zael_upstream_response_seconds_sum{upstream="main",model="gpt-4"} 1.5',
      'zael_upstream_response_seconds_count{upstream="main",model="gpt-4"} 2',
      'zael_upstream_first_event_seconds_bucket{upstream="main",model="gpt-4",le="600"} 0',
      'zael_upstream_first_event_seconds_bucket{upstream="main",model="gpt-4",le="+Inf"} 1',
      'zael_upstream_resting{upstream="main",model="gpt-4"} 1',
      'zael_upstream_resting{upstream="spare",model="gpt-4"} 0',
      'zael_upstream_factor{upstream="main",model="gpt-4"} 1',
      'zael_upstream_factor{upstream="spare",model="gpt-4"} 0.25',
    ])
      expect(text.split('\n')).toContain(line)
  })

  test('sums upstreams over processes', async () => {
    const processes = [createPrometheusMetrics(), createPrometheusMetrics()]
    for (const metrics of processes) observeUpstreams(metrics.upstreams)
    const text = await sumOfMetrics(await Promise.all(processes.map((metrics) => metrics.snapshot())))
    expect(text).toContain('zael_upstream_requests_total{upstream="main",model="gpt-4",outcome="ok"} 4\n')
    expect(text).toContain(
      'zael_upstream_response_seconds_bucket{upstream="main",model="gpt-4",le="0.5"} 2\n',
    )
  })

  test('counts further targets together once there are 500', async () => {
    const metrics = createPrometheusMetrics()
    for (let n = 0; n < 510; n++) metrics.upstreams.ended({ upstream: 'main', model: `model-${n}` }, 'ok')
    const counted = (await metrics.text()).split('\n').filter((line) => line.includes('requests_total{'))
    expect(counted).toHaveLength(501)
    expect(counted.at(-1)).toBe(
      'zael_upstream_requests_total{upstream="_other_",model="_other_",outcome="ok"} 10',
    )
  })
})
