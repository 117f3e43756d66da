import type { JsonObject } from '../../core/model/json.ts'
import type { ModelCall, ModelCharge, ModelProblem } from '../../core/ports/model-backend.ts'
import { errorIn } from '../apis/error-in.ts'
import type { WireApi } from '../apis/wire-api.ts'
import { objectsIn } from '../json-values.ts'

export type CountText = (text: string) => Promise<number>

const REQUEST: ModelCharge = { of: 'request' }

/** The usage that a response reports; else, or where it is zero beside text, the tokens of its text. */
export const chargeOf = async (
  api: WireApi,
  { inputTokens }: Pick<ModelCall, 'inputTokens'>,
  response: JsonObject,
  countText: CountText,
): Promise<ModelCharge> => {
  if (api.name === 'count_tokens') return REQUEST
  const reported = api.usageOf(response)
  if (reported !== undefined) return { of: 'usage', usage: reported }
  const text = api.textOf(response)
  const outputTokens = text === '' ? 0 : await countText(text)
  return { of: 'usage', usage: { inputTokens, outputTokens } }
}

/** The lists of which one contains the answer, in all APIs. */
const ANSWERS = ['choices', 'output', 'content', 'data'] as const

/** The error in a response with status 200, unless there is an answer beside it. */
export const errorInstead = (response: JsonObject): ModelProblem | undefined => {
  const problem = errorIn(response)
  if (problem === undefined) return undefined
  return ANSWERS.some((field) => objectsIn(response[field]).length > 0) ? undefined : problem
}
