/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This response is simulated : no model was called , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** The text repeats them without end. */
const PERIOD = WORDS.join('')

/**
 * Words of all choices of a response together; `usage` has no such bound. Otherwise a small request could produce a
 * response of any size, and one of 65,536 words in 128 choices blocks the event loop for 76 ms.
 */
const MAX_WORDS = 16_384

/** `count` words of the text of one of `choices`, starting at word `from`; fewer at the end of its share of `MAX_WORDS`. */
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

/** Characters of the first words of the text, by their number. */
const LENGTHS = Array.from({ length: WORDS.length }, (_, words) => WORDS.slice(0, words).join('').length)

/** The same for any number of words. */
const lengthOf = (words: number): number => {
  const whole = Math.floor(words / WORDS.length)
  return whole * PERIOD.length + (LENGTHS[words - whole * WORDS.length] ?? 0)
}
