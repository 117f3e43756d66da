import * as fc from 'fast-check'
import vocabulary from 'gpt-tokenizer/bpeRanks/o200k_base'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import { loadO200k } from '../../../src/gateway/prompt/byte-pairs.ts'
import { collectPrompt } from '../../../src/gateway/prompt/collected-prompt.ts'
import { familyOf } from '../../../src/gateway/prompt/families.ts'

const count = await loadO200k()

/** As text: a control token is not one. */
const reference = (text: string) => countTokens(text, { disallowedSpecial: new Set<string>() })

const WORDS = [
  'the',
  ' quick',
  'Über',
  '漢字',
  '한국어',
  'नमस्ते',
  '😀👍🏽',
  "it's",
  '12345',
  '\n\n',
  '  ',
  '\t',
  '<|endoftext|>',
  '�',
  '=====',
  'aB9-',
  '\ud800',
]

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'binary', maxLength: 8 })), {
        maxLength: 40,
      })
      .map((words) => words.join('')),
  },
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.string({ unit: 'binary-ascii', maxLength: 100 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
    .map((codes) => String.fromCharCode(...codes)),
)

test('counts as the reference implementation, for words of up to 128 characters', () => {
  fc.assert(
    fc.property(text, (value) => {
      // a longer word is counted in parts
      fc.pre(!/\S{128}|\s{128}/.test(value))
      expect(count(value)).toBe(reference(value))
    }),
  )
})

test('counts pairs of all tokens as the reference implementation', () => {
  const letters = vocabulary.filter((token) => typeof token === 'string' && /^[a-z]{2,12}$/.test(token))
  const words = letters.map((token, at) => `${token}${letters[(at * 31) % letters.length]}`).join(' ')
  expect(count(words)).toBe(reference(words))
  expect(count(words)).toBeGreaterThan(letters.length)
})

test.each(['a', ' ', '-', '漢', '😀', 'é', '\n', '0', 'ab ', '\ud800'])(
  'a text of many %j has at least the tokens of the bound by its length, and at most the other',
  (unit) => {
    for (const length of [1, 127, 128, 129, 1000]) {
      const value = unit.repeat(length)
      const bounds = collectPrompt(familyOf(''), (prompt) => prompt.text(value))
      const exact = length < 129 ? reference(value) : count(value)
      expect(exact).toBeGreaterThanOrEqual(bounds.leastTextTokens)
      expect(exact).toBeLessThanOrEqual(bounds.mostTextTokens)
    }
  },
)

test('any texts have at least the tokens of the bound by their lengths, and at most the other', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (texts) => {
      const bounds = collectPrompt(familyOf(''), (prompt) => {
        for (const value of texts) prompt.text(value)
      })
      const tokens = texts.reduce((sum, value) => sum + reference(value), 0)
      expect(tokens).toBeGreaterThanOrEqual(bounds.leastTextTokens)
      expect(tokens).toBeLessThanOrEqual(bounds.mostTextTokens)
    }),
  )
})
