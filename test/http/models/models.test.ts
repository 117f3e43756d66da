import { describe, expect, test } from 'vitest'
import { modelResponse, modelsResponse } from '../../../src/contract/models.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp } from '../test-app.ts'

describe('a model', () => {
  test('is registered, replaced and removed; its id may contain slashes', async () => {
    const { send } = createTestApp()
    const path = '/api/models/openai/o1/mini'
    const prices = { input_per_million: 2.5, output_per_million: 10, cached_input_per_million: 1.25 }
    const created = asDescribed(
      await send('PUT', path, { body: { tier: 'premium', prices } }),
      modelResponse,
      201,
    )
    expect(created).toMatchObject({ model_id: 'openai/o1/mini', tier: 'premium', prices })
    const replaced = asDescribed(await send('PUT', path, { body: { tier: 'free' } }), modelResponse)
    expect(replaced).toEqual({ ...created, tier: 'free', prices: null })
    expect(asDescribed(await send('GET', '/api/models'), modelsResponse).items).toEqual([replaced])
    expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('DELETE', path)).status).toBe(404)
  })

  test('can also be addressed by its encoded id', async () => {
    const { send } = createTestApp()
    await send('PUT', '/api/models/a%2Fb', { body: {} })
    expect((await send('DELETE', '/api/models/a/b')).status).toBe(204)
  })

  test.each([
    ['model_id', '/api/models/a%23b', {}],
    ['tier', '/api/models/a', { tier: 'a b' }],
    ['prices.output_per_million', '/api/models/a', { prices: { input_per_million: 1 } }],
    [
      'prices.input_per_million',
      '/api/models/a',
      { prices: { input_per_million: -1, output_per_million: 1 } },
    ],
    [
      'prices.input_per_million',
      '/api/models/a',
      { prices: { input_per_million: 1e300, output_per_million: 1 } },
    ],
    [
      'prices.output_per_million',
      '/api/models/a',
      { prices: { input_per_million: 0, output_per_million: 1e-131 } },
    ],
    [
      'prices.cached_input_per_million',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, cached_input_per_million: 5e-324 } },
    ],
    [
      'prices.per_image',
      '/api/models/a',
      { prices: { input_per_million: 1, output_per_million: 1, per_image: 1 } },
    ],
    ['teir', '/api/models/a', { teir: 'free' }],
  ])('with an invalid %s is rejected', async (field, path, body) => {
    expect(await createTestApp().send('PUT', path, { body })).toMatchObject({ status: 400, body: { field } })
  })
})
