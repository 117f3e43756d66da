/** Counts the tokens of a text. */
export type CountText = (text: string) => number

/** How many words of recent texts the tokenizer remembers; each is at most 128 characters. */
const MERGE_CACHE_SIZE = 10_000

/**
 * Loads the o200k tables (2.4 MB, some 150 ms). Only ever reached by `import()`, so that a bundler that splits, or
 * that leaves `gpt-tokenizer` outside, keeps them in a file of their own.
 */
export const loadO200k = async (): Promise<CountText> => {
  const { countTokens, setMergeCacheSize } = await import('gpt-tokenizer/encoding/o200k_base')
  setMergeCacheSize(MERGE_CACHE_SIZE)
  // A user may write `<|endoftext|>`: it is text, not a control token, and no error.
  const asText = { disallowedSpecial: new Set<string>() }
  return (text) => countTokens(text, asText)
}
