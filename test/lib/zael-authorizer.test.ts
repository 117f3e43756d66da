import { Duration, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { MockIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { describe, expect, test } from 'vitest'
import { type GatewayResponsesOptions, gatewayResponses } from '../../lib/gateway-responses.ts'
import { ZaelAuthorizer, type ZaelAuthorizerProps } from '../../lib/zael-authorizer.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import type { DeniedContext } from '../../src/contract/authorizer.ts'
import { rendered } from './rendered-response.ts'
import { createApp, idOf, permissionsOf, type Statement } from './synthesize.ts'

const DENIED: DeniedContext = {
  entityId: 'key-bob',
  rateLimit: '"rpm";r=0;t=6',
  rateLimitPolicy: '"rpm";q=10;w=60',
  retryAfter: '6',
  retryAfterMs: '5200',
  message: 'Rate limit exceeded for limits: rpm',
  retryAfterSeconds: '5.2',
  limitName: 'rpm',
  limitEntity: 'key-bob',
  limitResource: '_default_',
  available: '0',
  requested: '1',
  capacity: '10',
}

/** An API whose methods use an authorizer, in a stack of its owner. */
const stackWith = (props: Partial<ZaelAuthorizerProps> = {}, responses: GatewayResponsesOptions = {}) => {
  const stack = new Stack(createApp(), 'Mine')
  const table = new ZaelTable(stack, 'Table')
  const limits = new ZaelAuthorizer(stack, 'Limits', { table, ...props })
  const api = new RestApi(stack, 'Api', { defaultMethodOptions: { authorizer: limits.authorizer } })
  api.root.addMethod('GET', new MockIntegration())
  limits.addGatewayResponses(api, responses)
  return { stack, limits, tableArn: JSON.stringify(stack.resolve(table.tableArn)) }
}

const templateWith = (...parameters: Parameters<typeof stackWith>): Template =>
  Template.fromStack(stackWith(...parameters).stack)

const statementsOf = (template: Template, prefix: string): readonly Statement[] =>
  Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(prefix))
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement)

const leadingKeys = (...keys: readonly string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
})

describe('the authorizer', () => {
  const template = templateWith()

  test('is called for every request, with or without a key, and its responses are not cached', () => {
    template.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 0,
      IdentitySource: Match.absent(),
      RestApiId: Match.anyValue(),
    })
    const authorizerId = idOf(template, 'AWS::ApiGateway::Authorizer', 'Limits')
    template.allResourcesProperties('AWS::ApiGateway::Method', {
      AuthorizationType: 'CUSTOM',
      AuthorizerId: { Ref: authorizerId },
    })
  })

  test('runs on arm64, keeps its logs for a month, and reads the table of the deployment', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      MemorySize: 512,
      Timeout: 10,
      Environment: {
        Variables: {
          TABLE_NAME: { Ref: idOf(template, 'AWS::DynamoDB::Table', 'Table') },
          STORE_DEADLINE_MS: '1000',
          AUTHORIZER_OPTIONS: '{}',
        },
      },
    })
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
  })

  test('can be invoked by API Gateway for this authorizer only', () => {
    const [permission] = Object.values(template.findResources('AWS::Lambda::Permission'))
    expect(permission?.Properties).toMatchObject({
      Principal: 'apigateway.amazonaws.com',
      SourceArn: { 'Fn::Join': ['', expect.arrayContaining([expect.stringContaining('/authorizers/')])] },
    })
  })

  test('may read the table and update buckets, and nothing else', () => {
    const { stack, tableArn } = stackWith()
    const ofStack = Template.fromStack(stack)
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(ofStack, 'AWS::Logs::LogGroup', 'LimitsHandlerLogs'), 'Arn'],
    })
    expect(permissionsOf(ofStack, 'LimitsHandler').toSorted()).toEqual(
      [
        ['dynamodb:BatchGetItem', tableArn],
        ['dynamodb:GetItem', tableArn],
        ['dynamodb:UpdateItem', tableArn],
        ['logs:CreateLogStream', logs],
        ['logs:PutLogEvents', logs],
      ].toSorted(),
    )
    expect(statementsOf(ofStack, 'LimitsHandler')).toContainEqual(
      expect.objectContaining({
        Action: 'dynamodb:UpdateItem',
        Condition: leadingKeys('ENTITY#*', 'POLICY#*'),
      }),
    )
  })

  test('may also put reservations if the function behind it settles', () => {
    expect(statementsOf(templateWith({ settles: true }), 'LimitsHandler')).toContainEqual(
      expect.objectContaining({ Action: 'dynamodb:PutItem', Condition: leadingKeys('RESERVATION#*') }),
    )
  })

  test("may use the table's own key", () => {
    const stack = new Stack(createApp(), 'Mine')
    const table = new ZaelTable(stack, 'Table', { encryptionKey: new Key(stack, 'Key') })
    const { authorizer } = new ZaelAuthorizer(stack, 'Limits', { table })
    new RestApi(stack, 'Api').root.addMethod('GET', new MockIntegration(), { authorizer })
    const actions = permissionsOf(Template.fromStack(stack), 'LimitsHandler').map(([action]) => action)
    expect(actions).toContain('kms:Decrypt')
  })

  test('passes on how it charges, and the settings', () => {
    templateWith({
      cost: { requests: 2 },
      routeCosts: { 'POST /reports': { requests: 10 } },
      resource: 'gpt-4',
      settles: true,
      expiresIn: Duration.minutes(1),
      environment: { ON_UNAVAILABLE: 'allow', STORE_DEADLINE_MS: '300' },
      flavour: 'local',
    }).hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          ON_UNAVAILABLE: 'allow',
          STORE_DEADLINE_MS: '300',
          AUTHORIZER_OPTIONS: JSON.stringify({
            cost: { requests: 2 },
            route_costs: { 'POST /reports': { requests: 10 } },
            resource: 'gpt-4',
            settles: true,
            expires_in_seconds: 60,
          }),
        },
      },
    })
  })

  test.each<[Partial<ZaelAuthorizerProps>, string]>([
    [{ cost: { requests: 1.5 } }, 'cost.requests must be a whole number of at least 0'],
    [{ routeCosts: { '/reports': {} } }, 'routeCosts./reports must be a method and the path'],
    [{ resource: '_total_' }, 'resource must be 1 to 128'],
    [
      { settles: true, expiresIn: Duration.hours(2) },
      'expiresIn must be a whole number of seconds from 1 to 3600',
    ],
    [{ expiresIn: Duration.minutes(1) }, 'expiresIn requires settles: true'],
    [{ environment: { ON_UNAVAILABLE: 'perhaps' } }, 'ON_UNAVAILABLE must be one of'],
    [{ environment: { AUTHORIZER_OPTIONS: '{}' } }, 'AUTHORIZER_OPTIONS cannot be set: use cost'],
  ])('rejects %j at synthesis', (props, message) => {
    expect(() => stackWith(props)).toThrow(message)
  })
})

describe('a function behind the authorizer', () => {
  const functionIn = (stack: Stack): LambdaFunction =>
    new LambdaFunction(stack, 'Orders', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = async () => {}'),
    })

  test('can settle: it knows the table, and may update reservations and buckets', () => {
    const { stack, limits, tableArn } = stackWith({ settles: true })
    limits.grantSettle(functionIn(stack))
    const template = Template.fromStack(stack)
    expect(permissionsOf(template, 'OrdersServiceRole')).toEqual([
      ['dynamodb:UpdateItem', tableArn],
      ['dynamodb:GetItem', tableArn],
    ])
    const written = ['ENTITY#*', 'POLICY#*', 'RESERVATION#*']
    expect(statementsOf(template, 'OrdersServiceRole')).toMatchObject([
      { Condition: leadingKeys(...written) },
      { Condition: leadingKeys(...written, 'CLOCK') },
    ])
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { ZAEL_TABLE_NAME: { Ref: idOf(template, 'AWS::DynamoDB::Table', 'Table') } },
      },
    })
  })

  test('cannot be allowed to settle if there is nothing to settle', () => {
    const { stack, limits } = stackWith()
    expect(() => limits.grantSettle(functionIn(stack))).toThrow('grantSettle requires settles: true')
  })
})

/** The gateway response of a template, as API Gateway sends it. */
const renderedIn = (template: Template, type: string, authorizer: Partial<DeniedContext> = {}) => {
  const responses = Object.values(template.findResources('AWS::ApiGateway::GatewayResponse'))
  const found = responses.find(({ Properties }) => Properties.ResponseType === type)
  const { StatusCode, ResponseParameters, ResponseTemplates } = found?.Properties ?? {}
  return rendered(
    {
      statusCode: StatusCode,
      responseParameters: ResponseParameters,
      responseTemplates: ResponseTemplates,
    },
    authorizer,
  )
}

describe('the gateway responses', () => {
  const template = templateWith()

  test('turn a denial into 429 with the wait and the limit', () => {
    expect(renderedIn(template, 'ACCESS_DENIED', DENIED)).toEqual({
      status: 429,
      headers: {
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Retry-After': '6',
        'Retry-After-Ms': '5200',
        RateLimit: '"rpm";r=0;t=6',
        'RateLimit-Policy': '"rpm";q=10;w=60',
      },
      body: {
        error: 'rate_limit_exceeded',
        message: 'Rate limit exceeded for limits: rpm',
        retry_after_seconds: 5.2,
        violations: [
          {
            limit_name: 'rpm',
            entity_id: 'key-bob',
            resource: '_default_',
            available: 0,
            requested: 1,
            capacity: 10,
            retry_after_seconds: 5.2,
          },
        ],
      },
    })
  })

  test('turn a denial that no wait ends into 429 without a wait', () => {
    const {
      retryAfter: _,
      retryAfterMs: __,
      ...denied
    } = { ...DENIED, retryAfterSeconds: 'null', shouldRetry: 'false' }
    const { headers, body } = renderedIn(template, 'ACCESS_DENIED', denied)
    expect(headers).toMatchObject({ 'X-Should-Retry': 'false' })
    expect(headers).not.toHaveProperty('Retry-After')
    expect(body).toMatchObject({ retry_after_seconds: null })
  })

  test('respond to bad credentials with 401 and the ways to send a key', () => {
    expect(renderedIn(template, 'UNAUTHORIZED')).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer realm="zael"' },
      body: { error: 'unauthorized', message: expect.stringContaining('X-API-Key') },
    })
  })

  test.each(['AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'])('respond to %s with 503', (type) => {
    expect(renderedIn(template, type)).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '1', 'X-Zael-Degraded': 'true' },
      body: { error: 'unavailable' },
    })
  })

  test('can be read by pages of an origin, if it is named', () => {
    const named = templateWith({}, { allowOrigin: 'https://app.example' })
    for (const type of ['ACCESS_DENIED', 'UNAUTHORIZED', 'AUTHORIZER_FAILURE']) {
      expect(renderedIn(named, type, DENIED).headers).toMatchObject({
        'Access-Control-Allow-Origin': 'https://app.example',
        'Access-Control-Expose-Headers': expect.stringContaining('Retry-After'),
        Vary: 'Origin',
      })
      expect(renderedIn(template, type, DENIED).headers).not.toHaveProperty('Access-Control-Allow-Origin')
    }
  })

  test.each(['app.example', "https://a'b", 'https://a/b', 'null'])(
    'reject %s as an origin',
    (allowOrigin) => {
      expect(() => gatewayResponses({ allowOrigin })).toThrow('allowOrigin must be * or an origin')
    },
  )

  test('are deployed with the API', () => {
    const [deployment] = Object.values(template.findResources('AWS::ApiGateway::Deployment'))
    const responses = Object.keys(template.findResources('AWS::ApiGateway::GatewayResponse'))
    expect(responses).toHaveLength(4)
    expect(deployment?.DependsOn).toEqual(expect.arrayContaining(responses))
  })
})
