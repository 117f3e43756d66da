import type { CountText } from './o200k.ts'
import type { WorkTask } from './work-turns.ts'

/** Characters that are counted; what goes beyond is taken to be as dense as the part before. */
export const MAX_COUNTED_CHARS = 400_000
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
export const countLongText = async (text: string, count: CountText, task: WorkTask): Promise<number> => {
  const length = Math.min(text.length, MAX_COUNTED_CHARS)
  let tokens = 0
  for (const word of wordsOf(text, length)) {
    const turn = task.spend(workOf(word))
    if (turn !== undefined) await turn
    tokens += count(word)
  }
  return length === text.length ? tokens : Math.ceil((tokens * text.length) / length)
}
