import { describe, expect, test } from 'vitest'
import { parseUsage } from '../../src/gateway/chat-objects.ts'

const WHOLE = { prompt_tokens: 100, completion_tokens: 5 }

describe("an upstream's usage", () => {
  test.each([
    [{ cached_tokens: 80 }, { cachedPromptTokens: 80 }],
    [{ cached_tokens: 0, audio_tokens: 3 }, { cachedPromptTokens: 0 }],
    [{ cached_tokens: 101 }, { cachedPromptTokens: 100 }],
    [{ cached_tokens: -1 }, {}],
    [{ cached_tokens: '80' }, {}],
    [{}, {}],
    [null, {}],
    [undefined, {}],
  ])('with details %j contains cached tokens %j', (prompt_tokens_details, cached) => {
    expect(parseUsage({ ...WHOLE, prompt_tokens_details })).toEqual({
      promptTokens: 100,
      completionTokens: 5,
      ...cached,
    })
  })

  test.each([undefined, null, 'much', { prompt_tokens: 1 }, { ...WHOLE, completion_tokens: 1.5 }])(
    'is none if it is %j',
    (usage) => {
      expect(parseUsage(usage)).toBe(undefined)
    },
  )
})
