import { describe, expect, test } from 'vitest'
import type { Cost } from '../../../src/core/model/meter.ts'
import type { Model } from '../../../src/core/model/model.ts'
import { priceOf } from '../../../src/core/model/prices.ts'
import type { PromptEstimate } from '../../../src/core/ports/model-backend.ts'
import { outputBoundOf, reservedOutput } from '../../../src/http/model-routes/output-bound.ts'

const model = (parts: Partial<Model> = {}): Model => ({
  id: 'gpt-4',
  tier: null,
  prices: null,
  tokenWeights: null,
  upstreams: [],
  maxOutputTokens: 4096,
  createdAt: 0n,
  version: 0n,
  ...parts,
})

const estimate = (parts: Partial<PromptEstimate> = {}): PromptEstimate => ({
  inputTokens: 100,
  namedOutputTokens: null,
  choices: 1,
  defaultOutputTokens: null,
  ...parts,
})

const bound = (admissible: Cost, parts: Partial<PromptEstimate> = {}, of: Partial<Model> = {}) =>
  outputBoundOf(estimate(parts), model(of), admissible)

describe('the bound of the output', () => {
  test.each([
    ["is the model's", {}, {}, 4096],
    ['is what the limit on tokens leaves beside the prompt', { tokens: 1000 }, {}, 900],
    ['is at most the limit on output tokens', { tokens: 1000, output_tokens: 50 }, {}, 50],
    ['is a share for each choice', { tokens: 1000 }, { choices: 4 }, 225],
    ['is at least a token', { tokens: 40 }, {}, 1],
    ['is none if the request names a maximum', { tokens: 1000 }, { namedOutputTokens: 7 }, null],
    ['is none without output', { tokens: 1000 }, { choices: 0 }, null],
    ['is none if the model has a default', { tokens: 1000 }, { defaultOutputTokens: 16 }, null],
  ])('%s', (_, admissible, parts, expected) => {
    expect(bound(admissible, parts)).toBe(expected)
  })

  test('is the most that a budget pays beside the prompt', () => {
    const prices = { inputPerMillion: 3, outputPerMillion: 7.5 }
    const most = bound({ cost_usd_micros: 5000 }, {}, { prices }) ?? 0
    expect(priceOf(prices, { input: 100, output: most })).toBeLessThanOrEqual(5000)
    expect(priceOf(prices, { input: 100, output: most + 1 })).toBeGreaterThan(5000)
    expect(bound({ cost_usd_micros: 5000 })).toBe(4096)
    expect(bound({ cost_usd_micros: 10 }, {}, { prices })).toBe(1)
  })
})

test.each([
  [{ namedOutputTokens: 70, choices: 2 }, null, 70],
  [{ choices: 3 }, 10, 30],
  [{ choices: 3, defaultOutputTokens: 16 }, null, 48],
  [{ choices: 0 }, null, 0],
])('the reserved output of %o with the bound %s is %i', (parts, outputBound, expected) => {
  expect(reservedOutput(estimate(parts), outputBound)).toBe(expected)
})
