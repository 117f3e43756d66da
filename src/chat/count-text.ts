import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CountText } from './o200k.ts'

/** Characters that are counted; what goes beyond is taken to be as dense as the part before. */
export const MAX_COUNTED_CHARS = 400_000
/** Byte pair encoding takes time quadratic in the length of a word: 100,000 spaces would take ten seconds. */
const MAX_WORD_CHARS = 128
/** Characters between two turns of the event loop: some 10 ms of the slowest texts. */
const CHARS_PER_TURN = 8192

/** No o200k token spans this place, so the parts' counts add up exactly. */
const WORD_START = /(?<=\S)(?= )/
const CUT = new RegExp(`.{1,${MAX_WORD_CHARS}}`, 'gsu')

const wordsOf = (text: string): readonly string[] =>
  text.split(WORD_START).flatMap((word) => (word.length > MAX_WORD_CHARS ? (word.match(CUT) ?? []) : [word]))

/**
 * Tokens of `text`, in time linear in its length: exact for words of up to 128 characters, about one too many for
 * each further 128 characters of a longer one.
 */
export const countLongText = async (text: string, count: CountText): Promise<number> => {
  const counted = text.length > MAX_COUNTED_CHARS ? text.slice(0, MAX_COUNTED_CHARS) : text
  let tokens = 0
  let sinceTurn = 0
  for (const word of wordsOf(counted)) {
    tokens += count(word)
    sinceTurn += word.length
    if (sinceTurn < CHARS_PER_TURN) continue
    sinceTurn = 0
    await nextTurn()
  }
  return counted === text ? tokens : Math.ceil((tokens * text.length) / counted.length)
}
