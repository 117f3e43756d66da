/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This answer is simulated : no model was asked , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** The text repeats them without end. */
const PERIOD = WORDS.join('')

/**
 * Words of all choices of an answer together. Their number in `usage` has no such bound: a small request could otherwise
 * produce an answer of any size, and one of 65,536 words in 128 choices blocks the event loop for 76 ms.
 */
const MAX_WORDS = 16_384

/** `count` words of the text of one of `choices`, from the `from`th on: fewer, or none, where its share of `MAX_WORDS` ends. */
export const simulatedText = (from: number, count: number, choices: number): string => {
  const share = Math.floor(MAX_WORDS / choices)
  const end = Math.min(from + count, share)
  if (end <= from) return ''
  const periods = Math.floor(from / WORDS.length)
  const first = from - periods * WORDS.length
  const last = end - periods * WORDS.length
  const text = PERIOD.repeat(Math.ceil(last / WORDS.length)).slice(lengthOf(first), lengthOf(last))
  return from === 0 ? text.trimStart() : text
}

/** Characters of the first `words` words. */
const lengthOf = (words: number): number => {
  const whole = Math.floor(words / WORDS.length)
  return whole * PERIOD.length + WORDS.slice(0, words - whole * WORDS.length).join('').length
}
