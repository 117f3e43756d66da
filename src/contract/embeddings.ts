import * as v from 'valibot'
import { openObject } from './containers.ts'
import { integerBetween, modelName, sessionName, texts } from './model-fields.ts'

/** Above the vectors of any model. */
const MAX_DIMENSIONS = 65_536

/** A request for embeddings: https://platform.openai.com/docs/api-reference/embeddings/create */
export const embeddingRequestBody = openObject({
  model: modelName,
  input: texts,
  dimensions: integerBetween(1, MAX_DIMENSIONS),
  encoding_format: v.nullish(v.picklist(['float', 'base64'])),
  user: v.nullish(v.string()),
  session: sessionName,
})

/** A response, for the OpenAPI document only. */
export const embeddingResponse = v.pipe(
  v.looseObject({
    object: v.literal('list'),
    model: v.string(),
    data: v.array(
      v.looseObject({
        object: v.literal('embedding'),
        index: v.number(),
        embedding: v.union([v.array(v.number()), v.pipe(v.string(), v.description('base64 of float32'))]),
      }),
    ),
    usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
  }),
  v.metadata({ ref: 'EmbeddingList' }),
)
