import * as v from 'valibot'
import { checkedByHand, openObject } from './containers.ts'
import { maxTokens, modelName, numberBetween, sessionName, streamFlag, toolList } from './model-fields.ts'

const MAX_ITEMS = 4096

const INPUT = `be a string or a list of 1 to ${MAX_ITEMS} items, each a message or with a type`

/** Checked by hand, as the content of chats: an agent sends thousands of items. */
const input = checkedByHand(
  v.union([
    v.string(),
    v.array(v.looseObject({ type: v.optional(v.string()), role: v.optional(v.string()) })),
  ]),
  (value) => typeof value === 'string' || (Array.isArray(value) && isItemList(value)),
  INPUT,
)

const isItemList = (list: readonly unknown[]): boolean =>
  list.length > 0 && list.length <= MAX_ITEMS && list.every(isItem)

const isItem = (item: unknown): boolean =>
  typeof item === 'object' &&
  item !== null &&
  (('type' in item && typeof item.type === 'string') || ('role' in item && typeof item.role === 'string'))

/** A request of the Responses API: https://platform.openai.com/docs/api-reference/responses/create */
export const responseRequestBody = openObject({
  model: modelName,
  input,
  instructions: v.nullish(v.string()),
  max_output_tokens: maxTokens,
  stream: streamFlag,
  background: v.nullish(v.boolean()),
  previous_response_id: v.nullish(v.pipe(v.string(), v.nonEmpty('not be empty'))),
  store: v.nullish(v.boolean()),
  temperature: numberBetween(0, 2),
  top_p: numberBetween(0, 1),
  tools: toolList,
  user: v.nullish(v.string()),
  safety_identifier: v.nullish(v.string()),
  session: sessionName,
})

/** A whole response, for the OpenAPI document only. */
export const responseResponse = v.pipe(
  v.looseObject({
    id: v.string(),
    object: v.literal('response'),
    created_at: v.number(),
    status: v.string(),
    model: v.string(),
    output: v.array(v.looseObject({ type: v.string() })),
    usage: v.looseObject({
      input_tokens: v.number(),
      output_tokens: v.number(),
      total_tokens: v.number(),
    }),
  }),
  v.metadata({ ref: 'OpenAiResponse' }),
)
