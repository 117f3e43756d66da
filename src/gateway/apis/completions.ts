import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { objectsIn, stringOf } from '../json-values.ts'
import type { PromptSink } from '../prompt/collected-prompt.ts'
import { readTexts, textsIn } from '../prompt/content.ts'
import { withStreamOptions } from './chat.ts'
import { asksForUsage, createChoiceStreamReader } from './choice-stream.ts'
import { choicesOf, largestMaximum, namesOneOf } from './output-bounds.ts'
import { completionUsage, credible, tierOf, withServed } from './usage.ts'
import type { BodyChanges, WireApi } from './wire-api.ts'

const readPrompt = (body: JsonObject, prompt: PromptSink): void => {
  readTexts(body.prompt, prompt)
  prompt.text(stringOf(body.suffix))
}

/** Each prompt of a list has choices of its own. */
const choices = (body: JsonObject): number => textsIn(body.prompt) * choicesOf(body, ['n', 'best_of'])

const upstreamBody = (body: JsonObject, { model, outputBound, accepts }: BodyChanges): JsonObject => {
  const bound = outputBound ?? (namesOneOf(body, ['max_tokens']) ? null : largestMaximum(body))
  return { ...withStreamOptions(body, accepts), model, ...(bound !== null && { max_tokens: bound }) }
}

const textOf = (response: JsonObject): string =>
  objectsIn(response.choices)
    .map(({ text }) => stringOf(text))
    .join('')

const outputOf = (value: JsonValue | undefined) => {
  const text = stringOf(value)
  return { text, isVisible: text !== '' }
}

/** OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions */
export const completionsApi: WireApi = {
  name: 'completions',
  paths: { openai: '/completions' },
  readPrompt,
  choices,
  upstreamBody,
  usageOf: (response) =>
    credible(
      withServed(completionUsage(response.usage), { tier: tierOf(response.service_tier), images: 0 }),
      () => textOf(response) !== '',
    ),
  textOf,
  createStreamReader: (body) =>
    createChoiceStreamReader({
      choices: textsIn(body.prompt) * choicesOf(body, ['n']),
      includesUsage: asksForUsage(body),
      readChoice: ({ text }) => outputOf(text),
    }),
}
