import type { TokenCounter } from '../core/ports/chat-backend.ts'
import { sharedRead } from '../core/ports/shared-read.ts'
import { promptParts } from './request-tokens.ts'
import { createWorkTurns, type WorkTask, type WorkTurns } from './work-turns.ts'

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

/** Characters that are counted; the rest is assumed to have the same density. */
const MAX_COUNTED_CHARS = 400_000

/** Byte pair encoding takes time quadratic in the length of a word: 100,000 spaces would take ten seconds. */
const MAX_WORD_CHARS = 128

const SPACE = 0x20

const isWhiteSpace = (code: number): boolean => /\s/.test(String.fromCharCode(code))

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/**
 * The first `length` characters in words of at most `MAX_WORD_CHARS`. A word begins at a space behind a character that is no
 * white space: no o200k token spans such a place, so the words' counts add up exactly.
 */
function* wordsOf(text: string, length: number): Generator<string> {
  let start = 0
  for (let at = 1; at < length; at++) {
    const isStart = text.charCodeAt(at) === SPACE && !isWhiteSpace(text.charCodeAt(at - 1))
    const isFull = at - start >= MAX_WORD_CHARS && !isHighSurrogate(text.charCodeAt(at - 1))
    if (!isStart && !isFull) continue
    yield text.slice(start, at)
    start = at
  }
  yield text.slice(start, length)
}

/** Work in units of some 0.1 µs: a word of 5 letters takes 2 µs, one of 128 unlike characters up to 1.5 ms. */
const workOf = ({ length }: string): number => 32 + length * length

/**
 * Tokens of `text`, in time linear in its length and in turns of `task`: exact for words of up to 128 characters, about one
 * too many for each further 128 characters of a longer one.
 */
const countLongText = async (text: string, count: CountText, task: WorkTask): Promise<number> => {
  const length = Math.min(text.length, MAX_COUNTED_CHARS)
  let tokens = 0
  for (const word of wordsOf(text, length)) {
    const turn = task.spend(workOf(word))
    if (turn !== undefined) await turn
    tokens += count(word)
  }
  return length === text.length ? tokens : Math.ceil((tokens * text.length) / length)
}

/** Some 6 ms of the slowest texts, 2 ms of English: 7,000 characters of it are counted without a turn. */
const FREE_WORK = 65_536

/** Some 1.5 ms of the slowest texts. */
const WORK_PER_TURN = 16_384

/** Of a part of a prompt, beside its text. */
const WORK_PER_PART = 32

interface TokenCounterOptions {
  readonly load?: () => Promise<CountText>
  readonly turns?: WorkTurns
}

/**
 * Counts as gpt-4o does, for every model: the table is near enough for others, and the real usage is settled
 * afterwards. `load` is called once, at the first count; one that failed is tried again. Long texts are counted in turns,
 * which all counts of the process share.
 */
export const createTokenCounter = (options: TokenCounterOptions = {}): TokenCounter => {
  const load = options.load ?? loadO200k
  const turns = options.turns ?? createWorkTurns({ freeWork: FREE_WORK, workPerTurn: WORK_PER_TURN })
  const counter = sharedRead(load)
  return {
    async countPrompt(request) {
      const count = await counter()
      const task = turns.begin()
      let tokens = 0
      for (const part of promptParts(request)) {
        const turn = task.spend(WORK_PER_PART)
        if (turn !== undefined) await turn
        tokens += typeof part === 'number' ? part : await countLongText(part, count, task)
      }
      return tokens
    },
    async countText(text) {
      return countLongText(text, await counter(), turns.begin())
    },
  }
}
