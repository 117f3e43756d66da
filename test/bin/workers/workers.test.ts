import { expect, test } from 'vitest'
import { createReplies, createSummedMetrics } from '../../../bin/workers/worker-messages.ts'
import { backOffMs } from '../../../bin/workers/worker-pool.ts'
import { createPrometheusMetrics } from '../../../src/platform/prometheus-metrics.ts'

test('each request gets its own reply', async () => {
  const replies = createReplies<string>(60_000)
  const sent: number[] = []
  const responses = [1, 2].map(() => replies.to((request) => sent.push(request)))
  for (const request of sent.toReversed()) replies.arrived(request, `reply ${request}`)
  expect(await Promise.all(responses)).toEqual(sent.map((request) => `reply ${request}`))
})

test('a missing reply times out, and a late one is ignored', async () => {
  const replies = createReplies<string>(1)
  const sent: number[] = []
  expect(await replies.to((request) => sent.push(request))).toBeUndefined()
  replies.arrived(sent[0] ?? 0, 'late')
})

const counted = (allowed: number) => {
  const metrics = createPrometheusMetrics()
  metrics.count('decisions_allowed', allowed)
  return metrics
}

test('the counts of every process are added', async () => {
  const others = [counted(20), counted(3)]
  const summed = createSummedMetrics({
    own: counted(100).snapshot,
    requestOthers(request) {
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

test('processes that do not reply in time are left out', async () => {
  const summed = createSummedMetrics({ own: counted(1).snapshot, requestOthers: () => 1, patienceMs: 1 })
  expect(await summed.text()).toContain('\nzael_decisions_allowed_total 1\n')
  const alone = createSummedMetrics({ own: counted(1).snapshot, requestOthers: () => 0, patienceMs: 60_000 })
  expect(await alone.text()).toContain('\nzael_decisions_allowed_total 1\n')
})

test('the delay doubles after each early end, up to half a minute', () => {
  expect([1, 2, 3, 7, 8, 1000].map(backOffMs)).toEqual([250, 500, 1000, 16_000, 30_000, 30_000])
})
