import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'

/** Nothing here concerns limits: the authorizer has charged the request, and says whose it is. */
export const handler = async ({ requestContext }: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const { entityId } = requestContext.authorizer ?? {}
  return { statusCode: 200, body: JSON.stringify({ customer: entityId, orders: [] }) }
}
