import vocabulary from 'gpt-tokenizer/bpeRanks/o200k_base'
import { expect, test } from 'vitest'
import { MAX_TOKEN_CHARS } from '../../../src/gateway/prompt/collected-prompt.ts'

test('no token has more characters than the lower bound assumes', () => {
  const longest = vocabulary.reduce((most, token) => Math.max(most, token.length), 0)
  expect(longest).toBe(MAX_TOKEN_CHARS)
})
