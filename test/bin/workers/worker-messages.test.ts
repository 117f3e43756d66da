import { expect, test } from 'vitest'
import { createReplies, createSummedMetrics } from '../../../bin/workers/worker-messages.ts'
import { createPrometheusMetrics } from '../../../src/platform/prometheus-metrics.ts'

test('gives each question its own answer', async () => {
  const replies = createReplies<string>(60_000)
  const asked: number[] = []
  const answers = [1, 2].map(() => replies.to((request) => asked.push(request)))
  for (const request of asked.toReversed()) replies.arrived(request, `answer ${request}`)
  expect(await Promise.all(answers)).toEqual(asked.map((request) => `answer ${request}`))
})

test('gives up on an answer that does not come, and ignores one that comes late', async () => {
  const replies = createReplies<string>(1)
  const asked: number[] = []
  expect(await replies.to((request) => asked.push(request))).toBeUndefined()
  replies.arrived(asked[0] ?? 0, 'late')
})

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
