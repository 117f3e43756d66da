import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import type { ResponseStore } from '../../../src/core/ports/response-store.ts'
import {
  continuedTokens,
  keepResponse,
  requireStateless,
} from '../../../src/http/model-routes/response-chain.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { createMemoryResponseStore } from '../../support/memory-request-stores.ts'

const DAY = 86_400_000_000_000n

const USAGE = { inputTokens: 70, outputTokens: 7, responseId: 'resp_1' }

const start = (responses: ResponseStore = createMemoryResponseStore()) => {
  const warnings: unknown[] = []
  const logger = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) }
  const clock = createTestClock()
  const needs = { responses, clock, logger }
  const continued = (id: string, entityId = 'key-bob') =>
    continuedTokens(needs, entityId, { previous_response_id: id })
  return { needs, clock, warnings, continued }
}

describe('a request that continues a response', () => {
  test('counts its tokens as prompt, for a day', async () => {
    const { needs, clock, continued } = start()
    await keepResponse(needs, 'key-bob', {}, USAGE)
    expect(await continued('resp_1')).toBe(77)
    clock.advance(DAY)
    await expect(continued('resp_1')).rejects.toMatchObject({ code: 'not_found' })
  })

  test.each([
    ['of another entity', 'resp_1', 'key-alice'],
    ['that is not known', 'resp_2', 'key-bob'],
    ['that could be no id', 'resp 1#', 'key-bob'],
  ])('%s is rejected', async (_, id, entityId) => {
    const { needs, continued } = start()
    await keepResponse(needs, 'key-bob', {}, USAGE)
    await expect(continued(id, entityId)).rejects.toMatchObject({
      code: 'not_found',
      field: 'previous_response_id',
    })
  })

  test('is not possible where the response was not to be stored', async () => {
    const { needs, continued } = start()
    await keepResponse(needs, 'key-bob', { store: false }, USAGE)
    await expect(continued('resp_1')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('continues nothing without an id', async () => {
    expect(await continuedTokens(start().needs, 'key-bob', { previous_response_id: null })).toBe(0)
  })
})

test('a response that cannot be kept is logged, and fails nothing', async () => {
  const fail = () => Promise.reject(new StoreUnavailable('down', { mayHaveApplied: false }))
  const { needs, warnings } = start({ keep: fail, tokensOf: fail })
  await keepResponse(needs, 'key-bob', {}, USAGE)
  expect(warnings).toEqual([
    [
      'response not kept',
      { entityId: 'key-bob', responseId: 'resp_1', error: expect.stringContaining('down') },
    ],
  ])
})

test.each([
  [{ background: true }, 'background'],
  [{ conversation: 'conv_1' }, 'conversation'],
  [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
])('%o is rejected', (body, field) => {
  expect(() => requireStateless(body)).toThrowError(expect.objectContaining({ field }))
})

test('background: false and null are accepted', () => {
  expect(() => requireStateless({ background: false, conversation: null })).not.toThrow()
})
