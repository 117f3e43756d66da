import { describe, expect, test } from 'vitest'
import { createModelService } from '../../../src/core/admin/models.ts'
import { aModel } from '../../store/store-fixtures.ts'
import { createTestAdmin } from './test-admin.ts'

const setUp = () => {
  const admin = createTestAdmin()
  return { ...admin, models: createModelService(admin.deps) }
}

const longContext = { aboveTokens: 1000, inputPerMillion: 1, outputPerMillion: 2 }

const upstream = { upstream: 'openai', model: null }

const prices = { inputPerMillion: 1, outputPerMillion: 2 }

describe('models', () => {
  test('keep the time of their registration', async () => {
    const { models, clock } = setUp()
    const first = await models.put('gpt-4', { tier: 'premium' }, 'admin')
    clock.advance(100n)
    const second = await models.put('gpt-4', { prices }, 'admin')
    expect([first.created, second.created]).toEqual([true, false])
    expect(second.model).toEqual(aModel({ id: 'gpt-4', prices, createdAt: first.model.createdAt }))
    expect(await models.get('gpt-4')).toEqual(second.model)
  })

  test('leave audit records with the previous state, and notify of each change', async () => {
    const { models, audit, changes } = setUp()
    await models.put('gpt-4', { tier: 'premium' }, 'admin')
    await models.remove('gpt-4', 'admin')
    await expect(models.remove('gpt-4', 'admin')).rejects.toMatchObject({ code: 'not_found' })
    await expect(models.get('gpt-4')).rejects.toMatchObject({ code: 'not_found' })
    expect(await audit()).toMatchObject([
      { action: 'model.delete', subject: 'MODEL#gpt-4', before: { tier: 'premium' }, after: null },
      { action: 'model.put', subject: 'MODEL#gpt-4', before: null },
    ])
    expect(changes).toEqual([{ modelId: 'gpt-4' }, { modelId: 'gpt-4' }])
  })

  test.each([
    ['model_id', 'a b', {}],
    ['tier', 'a', { tier: '' }],
    ['prices.input_per_million', 'a', { prices: { ...prices, inputPerMillion: -1 } }],
    ['prices.input_per_million', 'a', { prices: { ...prices, inputPerMillion: 1e-131 } }],
    ['prices.output_per_million', 'a', { prices: { ...prices, outputPerMillion: Number.NaN } }],
    ['prices.cached_input_per_million', 'a', { prices: { ...prices, cachedInputPerMillion: Infinity } }],
    ['prices.cache_write_per_million', 'a', { prices: { ...prices, cacheWritePerMillion: -1 } }],
    [
      'prices.long_context.above_tokens',
      'a',
      { prices: { ...prices, longContext: { ...longContext, aboveTokens: 0.5 } } },
    ],
    [
      'prices.long_context.output_per_million',
      'a',
      { prices: { ...prices, longContext: { ...longContext, outputPerMillion: -1 } } },
    ],
    ['upstreams', 'a', { upstreams: Array(9).fill(upstream) }],
    ['upstreams[0].upstream', 'a', { upstreams: [{ upstream: 'a b', model: null }] }],
    ['upstreams[0].model', 'a', { upstreams: [{ upstream: 'openai', model: 'a b' }] }],
    ['upstreams[1]', 'a', { upstreams: [upstream, upstream] }],
    ['max_output_tokens', 'a', { maxOutputTokens: 0 }],
    ['max_output_tokens', 'a', { maxOutputTokens: 1.5 }],
  ])('with an invalid %s are rejected', async (field, id, draft) => {
    await expect(setUp().models.put(id, draft, 'admin')).rejects.toMatchObject({ field })
  })
})
