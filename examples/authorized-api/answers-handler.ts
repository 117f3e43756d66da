import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import { headersFromContext, settleFromContext } from 'zael/lambda'

/** Stands for a model: it uses a token per four characters of the question. */
const answer = (question: string) => ({ text: 'It depends.', tokens: Math.ceil(question.length / 4) })

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const { text, tokens } = answer(event.body ?? '')
  await settleFromContext(event, { requests: 1, tokens })
  const headers = { ...headersFromContext(event), 'content-type': 'application/json' }
  return { statusCode: 200, headers, body: JSON.stringify({ text, tokens }) }
}
