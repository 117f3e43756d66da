/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This answer is simulated : no model was asked , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** A choice's text ends here, and those of all choices together, whatever the usage says: no one can ask for gigabytes. */
const [MAX_CHOICE_TOKENS, MAX_ANSWER_TOKENS] = [16_384, 65_536]

/** `count` tokens of the text of one of `choices`, from the `from`th on. */
export const simulatedText = (from: number, count: number, choices: number): string => {
  const most = Math.min(MAX_CHOICE_TOKENS, Math.floor(MAX_ANSWER_TOKENS / choices))
  const length = Math.max(0, Math.min(count, most - from))
  const text = Array.from({ length }, (_, i) => WORDS[(from + i) % WORDS.length]).join('')
  return from === 0 ? text.trimStart() : text
}
