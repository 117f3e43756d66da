import { type CountTokens, createBytePairCounter } from './byte-pairs.ts'

/**
 * Loads the tables of o200k, the encoding of OpenAI's models since gpt-4o (2.4 MB, some 150 ms). Only ever reached by
 * `import()`, so that a bundler that splits, or that leaves `gpt-tokenizer` outside, keeps them in files of their own.
 */
export const loadO200k = async (): Promise<CountTokens> => {
  const [{ default: vocabulary }, { O200K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import('gpt-tokenizer/bpeRanks/o200k_base'),
    import('gpt-tokenizer/encodingParams/constants'),
  ])
  return createBytePairCounter(vocabulary, O200K_TOKEN_SPLIT_REGEX)
}
