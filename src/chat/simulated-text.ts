/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This answer is simulated : no model was asked , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** A choice's text ends here, whatever its usage says, so that no one can ask for gigabytes. */
const MAX_TEXT_TOKENS = 16_384

/** `count` tokens of an answer's text, from the `from`th on. */
export const simulatedText = (from: number, count: number): string => {
  const length = Math.max(0, Math.min(count, MAX_TEXT_TOKENS - from))
  const text = Array.from({ length }, (_, i) => WORDS[(from + i) % WORDS.length]).join('')
  return from === 0 ? text.trimStart() : text
}
