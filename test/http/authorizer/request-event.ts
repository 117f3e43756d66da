import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda'

type Headers = Readonly<Record<string, string | readonly string[]>>

export interface RequestOptions {
  readonly method?: string
  /** The path of the resource. */
  readonly resource?: string
  /** The path that the client sent. */
  readonly path?: string
  /** By their names as the client wrote them. */
  readonly headers?: Headers
}

const ARN = 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod'

/** The event of a REQUEST authorizer as a regional REST API sends it, with the headers that API Gateway adds. */
export const requestEvent = ({
  method = 'GET',
  resource = '/orders/{id}',
  path = '/orders/7',
  headers = {},
}: RequestOptions = {}): APIGatewayRequestAuthorizerEvent => {
  const sent: Headers = {
    accept: '*/*',
    Host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
    'User-Agent': 'curl/8.5.0',
    'X-Amzn-Trace-Id': 'Root=1-67a1b2c3-0123456789abcdef01234567',
    'X-Forwarded-For': '192.0.2.1',
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
    ...headers,
  }
  const lists = Object.entries(sent).map(([name, value]) => [name, [value].flat()] as const)
  return {
    type: 'REQUEST',
    methodArn: `${ARN}/${method}${path}`,
    resource,
    path,
    httpMethod: method,
    headers: Object.fromEntries(lists.map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: Object.fromEntries(lists),
    queryStringParameters: {},
    multiValueQueryStringParameters: {},
    pathParameters: { id: '7' },
    stageVariables: {},
    requestContext: requestContext(method, resource, path),
  }
}

const requestContext = (
  method: string,
  resource: string,
  path: string,
): APIGatewayRequestAuthorizerEvent['requestContext'] => ({
  accountId: '123456789012',
  apiId: 'a1b2c3d4e5',
  authorizer: undefined,
  protocol: 'HTTP/1.1',
  httpMethod: method,
  identity: IDENTITY,
  path: `/prod${path}`,
  stage: 'prod',
  requestId: '2f3a9c1e-5d7b-4e0a-9c43-1f2e3d4c5b6a',
  requestTimeEpoch: 1_767_225_600_000,
  resourceId: 'abc123',
  resourcePath: resource,
  domainName: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
})

const IDENTITY: APIGatewayRequestAuthorizerEvent['requestContext']['identity'] = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  sourceIp: '192.0.2.1',
  user: null,
  userAgent: 'curl/8.5.0',
  userArn: null,
}
