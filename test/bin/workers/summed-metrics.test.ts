import { expect, test } from 'vitest'
import { createSummedMetrics } from '../../../bin/workers/summed-metrics.ts'
import { createPrometheusMetrics } from '../../../src/platform/prometheus-metrics.ts'

const counted = (allowed: number) => {
  const metrics = createPrometheusMetrics()
  metrics.count('decisions_allowed', allowed)
  return metrics
}

test('adds what every process has counted', async () => {
  const others = [counted(20), counted(3)]
  const summed = createSummedMetrics({
    own: counted(100).snapshot,
    ask(request) {
      for (const { snapshot } of others) snapshot().then((metrics) => summed.arrived(request, metrics))
      return others.length
    },
    patienceMs: 60_000,
  })
  const texts = await Promise.all([summed.text(), summed.text()])
  for (const text of texts) {
    expect(text).toContain('\nzael_decisions_allowed_total 123\n')
    expect(text).toContain('\nzael_decisions_denied_total 0\n')
  }
})

test('does without those that do not answer in time', async () => {
  const summed = createSummedMetrics({ own: counted(1).snapshot, ask: () => 1, patienceMs: 1 })
  expect(await summed.text()).toContain('\nzael_decisions_allowed_total 1\n')
  const alone = createSummedMetrics({ own: counted(1).snapshot, ask: () => 0, patienceMs: 60_000 })
  expect(await alone.text()).toContain('\nzael_decisions_allowed_total 1\n')
})
