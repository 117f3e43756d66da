import { expect, test } from 'vitest'
import { createPrometheusMetrics } from '../../src/platform/prometheus-metrics.ts'

test('shows every counter from the start, and what was counted', async () => {
  const metrics = createPrometheusMetrics()
  metrics.count('decisions_allowed')
  metrics.count('decisions_allowed', 4)
  const text = await metrics.text()
  expect(text).toContain('\nzael_decisions_allowed_total 5\n')
  expect(text).toContain('\nzael_refunds_lost_total 0\n')
})
