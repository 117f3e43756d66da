/**
 * Events as AWS documents them: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html (REST and HTTP APIs),
 * urls-invocation.html (function URLs), services-alb.html, with-sqs.html, and AppSync's
 * resolver-context-reference.html. Each call returns an object of its own, as Lambda parses each event anew.
 */
interface Overrides {
  readonly [field: string]: unknown
}

/** A REST API with a Cognito authorizer and an API key. */
export const restEvent = (overrides: Overrides = {}, { sourceIp = '203.0.113.7' } = {}) => ({
  resource: '/orders',
  path: '/orders',
  httpMethod: 'POST',
  headers: {
    Accept: '*/*',
    Host: '70ixmpl4fl.execute-api.us-east-2.amazonaws.com',
    'User-Agent': 'curl/8.5.0',
    'X-Amzn-Trace-Id': 'Root=1-5e66d96f-7491f09xmpl79d18acf3d050',
    'X-Api-Key': 'a-key-of-the-client',
    'X-Forwarded-For': '198.51.100.1, 203.0.113.7',
  },
  multiValueHeaders: {
    Accept: ['*/*'],
    Host: ['70ixmpl4fl.execute-api.us-east-2.amazonaws.com'],
    'User-Agent': ['curl/8.5.0'],
    'X-Amzn-Trace-Id': ['Root=1-5e66d96f-7491f09xmpl79d18acf3d050'],
    'X-Api-Key': ['a-key-of-the-client'],
    'X-Forwarded-For': ['198.51.100.1, 203.0.113.7'],
  },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: null,
  stageVariables: null,
  requestContext: {
    resourceId: '2gxmpl',
    resourcePath: '/orders',
    httpMethod: 'POST',
    extendedRequestId: 'JJbxmplHYosFVYQ=',
    requestTime: '10/Mar/2020:00:03:59 +0000',
    path: '/prod/orders',
    accountId: '123456789012',
    protocol: 'HTTP/1.1',
    stage: 'prod',
    domainPrefix: '70ixmpl4fl',
    requestTimeEpoch: 1583798639428,
    requestId: '77375676-xmpl-4b79-853a-f982474efe18',
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      apiKey: 'a-key-of-the-client',
      apiKeyId: 'k3y1d',
      sourceIp,
      userArn: null,
      userAgent: 'curl/8.5.0',
      user: null,
    },
    authorizer: {
      claims: { sub: 'user-1', 'cognito:groups': 'gold', email: 'jane@example.com', token_use: 'id' },
    },
    domainName: '70ixmpl4fl.execute-api.us-east-2.amazonaws.com',
    apiId: '70ixmpl4fl',
  },
  body: '{"item":1}',
  isBase64Encoded: false,
  ...overrides,
})

/** An HTTP API, payload format 2.0, with a JWT authorizer. */
export const httpEvent = (overrides: Overrides = {}, { sub = 'user-1', sourceIp = '203.0.113.7' } = {}) => ({
  version: '2.0',
  routeKey: 'POST /orders',
  rawPath: '/prod/orders',
  rawQueryString: 'parameter1=value1&parameter1=value2',
  cookies: ['cookie1=a', 'cookie2=b'],
  headers: {
    accept: '*/*',
    'content-type': 'application/json',
    'x-api-key': 'a-key-of-the-client',
    'x-forwarded-for': '198.51.100.1, 203.0.113.7',
  },
  queryStringParameters: { parameter1: 'value1,value2' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'r3pmxmplak',
    authorizer: { jwt: { claims: { sub, scope: 'orders' }, scopes: ['orders'] } },
    domainName: 'r3pmxmplak.execute-api.us-east-2.amazonaws.com',
    domainPrefix: 'r3pmxmplak',
    http: {
      method: 'POST',
      path: '/prod/orders',
      protocol: 'HTTP/1.1',
      sourceIp,
      userAgent: 'curl/8.5.0',
    },
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey: 'POST /orders',
    stage: 'prod',
    time: '10/Mar/2020:05:16:23 +0000',
    timeEpoch: 1583817383220,
  },
  body: '{"item":1}',
  isBase64Encoded: false,
  ...overrides,
})

/** A function URL, whose path has no stage. */
export const functionUrlEvent = () => {
  const event = httpEvent()
  return {
    ...event,
    routeKey: '$default',
    rawPath: '/prod/orders',
    requestContext: {
      ...event.requestContext,
      apiId: 'urlxmpl',
      authentication: null,
      domainName: 'urlxmpl.lambda-url.us-west-2.on.aws',
      routeKey: '$default',
      stage: '$default',
    },
  }
}

const ELB = {
  targetGroupArn:
    'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda-279XMPLDUMLTPGLW/49e9d65c45c6791a',
}

const BALANCED_HEADERS = {
  accept: 'text/html',
  host: 'lambda-alb-1234578498.us-east-1.elb.amazonaws.com',
  'x-amzn-trace-id': 'Root=1-5c536348-3d683b8b04734faae651f476',
  'x-forwarded-for': '1.1.1.1, 203.0.113.7',
  'x-forwarded-port': '80',
  'x-forwarded-proto': 'http',
}

/** A load balancer whose target group sends one value of each header. */
export const albEvent = () => ({
  requestContext: { elb: ELB },
  httpMethod: 'POST',
  path: '/orders',
  queryStringParameters: { query: '1234ABCD' },
  headers: BALANCED_HEADERS,
  body: Buffer.from('{"item":1}').toString('base64'),
  isBase64Encoded: true,
})

/** A load balancer whose target group sends all values of each header. */
export const multiValueAlbEvent = () => ({
  requestContext: { elb: ELB },
  httpMethod: 'POST',
  path: '/orders',
  multiValueQueryStringParameters: { query: ['1234ABCD'] },
  multiValueHeaders: {
    ...Object.fromEntries(Object.entries(BALANCED_HEADERS).map(([name, value]) => [name, [value]])),
    'x-forwarded-for': ['1.1.1.1', '203.0.113.7'],
  },
  body: '',
  isBase64Encoded: false,
})

/** A direct resolver of an AppSync API that Cognito identifies the callers of. */
export const appSyncEvent = (sub = 'user-1', sourceIp = ['203.0.113.7']) => ({
  arguments: { id: '1' },
  identity: {
    claims: { sub, iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_xmpl', token_use: 'access' },
    defaultAuthStrategy: 'ALLOW',
    groups: null,
    issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_xmpl',
    sourceIp,
    sub,
    username: 'jane',
  },
  source: null,
  request: {
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'da2-xmpl',
      'x-forwarded-for': '203.0.113.7, 130.176.1.1',
    },
    domainName: null,
  },
  prev: null,
  info: {
    selectionSetList: ['id'],
    selectionSetGraphQL: '{\n  id\n}',
    parentTypeName: 'Mutation',
    fieldName: 'createOrder',
    variables: {},
  },
  stash: {},
})

interface MessageOptions {
  readonly group?: string
  readonly queue?: string
  readonly tenant?: string
}

/** A message of a queue. */
export const sqsRecord = (
  messageId: string,
  { group, queue = group === undefined ? 'orders' : 'orders.fifo', tenant }: MessageOptions = {},
) => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body: JSON.stringify({ order: messageId }),
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1545082649183',
    SenderId: 'AIDAIENQZJOLO23YVJ4VO',
    ApproximateFirstReceiveTimestamp: '1545082649185',
    ...(group !== undefined && { MessageGroupId: group, SequenceNumber: '18849496460467696128' }),
  },
  messageAttributes:
    tenant === undefined
      ? {}
      : { Tenant: { stringValue: tenant, stringListValues: [], binaryListValues: [], dataType: 'String' } },
  md5OfBody: '098f6bcd4621d373cade4e832627b4f6',
  eventSource: 'aws:sqs',
  eventSourceARN: `arn:aws:sqs:eu-central-1:123456789012:${queue}`,
  awsRegion: 'eu-central-1',
})

/** A batch of messages. */
export const sqsEvent = (...records: readonly ReturnType<typeof sqsRecord>[]) => ({ Records: [...records] })
