import { Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { DomainName, RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterEach, describe, expect, test } from 'vitest'
import { ZaelApi, type ZaelApiProps } from '../../lib/zael-api.ts'
import { ZaelStack } from '../../lib/zael-stack.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf } from './synthesize.ts'

type Props = Partial<ZaelApiProps>

const apiIn = (stack: Stack, props: Props): ZaelApi => {
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  return new ZaelApi(stack, 'Api', {
    table: new ZaelTable(stack, 'Limits'),
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
    ...props,
  })
}

const newStack = (): Stack => new Stack(createApp(), 'Mine')

const templateWith = (props: (stack: Stack) => Props): Template => {
  const stack = newStack()
  apiIn(stack, props(stack))
  return Template.fromStack(stack)
}

const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000'

/** A domain that the stack makes. */
const newDomain = (stack: Stack, basePath?: string): Props => ({
  domain: {
    domainName: 'api.example.com',
    certificate: Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE),
    ...(basePath !== undefined && { basePath }),
  },
})

const DOMAIN = 'AWS::ApiGateway::DomainName'
const MAPPING = 'AWS::ApiGateway::BasePathMapping'
const DEEP_MAPPING = 'AWS::ApiGatewayV2::ApiMapping'

describe('a custom domain', () => {
  test('is created with its certificate, in the region of the stack, and requires TLS 1.2', () => {
    templateWith((stack) => newDomain(stack)).hasResourceProperties(DOMAIN, {
      DomainName: 'api.example.com',
      RegionalCertificateArn: CERTIFICATE,
      EndpointConfiguration: { Types: ['REGIONAL'] },
      SecurityPolicy: 'TLS_1_2',
    })
  })

  test('serves the API at its root', () => {
    const template = templateWith((stack) => newDomain(stack))
    template.hasResourceProperties(MAPPING, {
      BasePath: Match.absent(),
      DomainName: { Ref: idOf(template, DOMAIN, 'ApiDomain') },
      RestApiId: { Ref: idOf(template, 'AWS::ApiGateway::RestApi', 'Api') },
      Stage: { Ref: idOf(template, 'AWS::ApiGateway::Stage', 'Api') },
    })
  })

  test('serves the API below a base path', () => {
    templateWith((stack) => newDomain(stack, 'limits')).hasResourceProperties(MAPPING, { BasePath: 'limits' })
  })

  test('serves the API below a base path of several segments', () => {
    const template = templateWith((stack) => newDomain(stack, 'platform/limits'))
    template.resourceCountIs(MAPPING, 0)
    template.hasResourceProperties(DEEP_MAPPING, {
      ApiMappingKey: 'platform/limits',
      ApiId: { Ref: idOf(template, 'AWS::ApiGateway::RestApi', 'Api') },
      Stage: { Ref: idOf(template, 'AWS::ApiGateway::Stage', 'Api') },
    })
  })

  test('can be one that exists', () => {
    const template = templateWith((stack) => ({
      domain: {
        domainName: DomainName.fromDomainNameAttributes(stack, 'Existing', {
          domainName: 'api.example.com',
          domainNameAliasTarget: 'd-abc.execute-api.eu-central-1.amazonaws.com',
          domainNameAliasHostedZoneId: 'Z1U9ULNL0V5AJ3',
        }),
        basePath: 'limits',
      },
    }))
    template.resourceCountIs(DOMAIN, 0)
    template.hasResourceProperties(MAPPING, { BasePath: 'limits', DomainName: 'api.example.com' })
  })

  test('is the only way to the API if the URL of AWS is disabled', () => {
    const template = templateWith((stack) => {
      const { domain } = newDomain(stack)
      return domain ? { domain: { ...domain, disableExecuteApiEndpoint: true } } : {}
    })
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { DisableExecuteApiEndpoint: true })
    templateWith((stack) => newDomain(stack)).hasResourceProperties('AWS::ApiGateway::RestApi', {
      DisableExecuteApiEndpoint: Match.absent(),
    })
  })

  test.each([
    [undefined, '/'],
    ['limits', '/limits/'],
    ['platform/limits', '/platform/limits/'],
  ])('with base path %s is the URL of the API', (basePath, path) => {
    const stack = newStack()
    const { url } = apiIn(stack, newDomain(stack, basePath))
    expect(JSON.stringify(stack.resolve(url))).toContain(`"${path}"`)
    expect(JSON.stringify(stack.resolve(url))).not.toContain('execute-api')
  })

  test('is an output of the stack, with the target of its record in DNS', () => {
    const app = createApp()
    const mine = new Stack(app, 'Mine')
    const stack = new ZaelStack(app, 'Zael-demo', { name: 'demo', api: newDomain(mine, 'limits') })
    const { ApiUrl, DashboardUrl, DomainTarget } = Template.fromStack(stack).toJSON().Outputs
    expect(JSON.stringify(ApiUrl.Value)).toMatch(/"https:\/\/",.*"\/limits\/"/)
    expect(JSON.stringify(DashboardUrl.Value)).toMatch(/"\/limits\/dashboard"/)
    expect(JSON.stringify(DomainTarget.Value)).toContain('RegionalDomainName')
  })
})

const authorizerIn = (stack: Stack) =>
  new RequestAuthorizer(stack, 'Authorizer', {
    handler: new LambdaFunction(stack, 'Check', {
      code: Code.fromInline('exports.handler = async () => ({})'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
    }),
    identitySources: ['method.request.header.X-Employee'],
  })

/** The methods of an API: verb, path and the type of authorization. */
const methodsOf = (template: Template): readonly string[] => {
  const parts = new Map(
    Object.entries(template.findResources('AWS::ApiGateway::Resource')).map(([id, { Properties }]) => [
      id,
      Properties,
    ]),
  )
  const pathOf = (id: string | undefined): string => {
    const resource = parts.get(id ?? '')
    return resource === undefined ? '' : `${pathOf(resource.ParentId.Ref)}/${resource.PathPart}`
  }
  return Object.values(template.findResources('AWS::ApiGateway::Method'))
    .map(({ Properties: { HttpMethod, ResourceId, AuthorizationType } }) =>
      [HttpMethod, pathOf(ResourceId.Ref) || '/', AuthorizationType].join(' '),
    )
    .toSorted()
}

describe('an authorizer of the user', () => {
  test('is in front of every route, and there is none by default', () => {
    expect(methodsOf(templateWith((stack) => ({ authorizer: authorizerIn(stack) })))).toEqual([
      'ANY / CUSTOM',
      'ANY /{proxy+} CUSTOM',
    ])
    expect(methodsOf(templateWith(() => ({})))).toEqual(['ANY / NONE', 'ANY /{proxy+} NONE'])
  })

  test('is not in front of open routes, of which it leaves only GET', () => {
    const openRoutes = ['/health', '/docs', '/docs/swagger-ui.css']
    const template = templateWith((stack) => ({ authorizer: authorizerIn(stack), openRoutes }))
    expect(methodsOf(template)).toEqual([
      'ANY / CUSTOM',
      'ANY /{proxy+} CUSTOM',
      'GET /docs NONE',
      'GET /docs/swagger-ui.css NONE',
      'GET /health NONE',
    ])
  })

  test('lets browsers of other origins ask whether they may call, if the API allows any', () => {
    const environment = { CORS_ORIGINS: 'https://app.example.com' }
    const template = templateWith((stack) => ({ authorizer: authorizerIn(stack), environment }))
    expect(methodsOf(template)).toEqual([
      'ANY / CUSTOM',
      'ANY /{proxy+} CUSTOM',
      'OPTIONS / NONE',
      'OPTIONS /{proxy+} NONE',
    ])
  })

  test('leaves the routes of the API as they are: all of them reach the Lambda and stream', () => {
    const template = templateWith((stack) => ({ authorizer: authorizerIn(stack), openRoutes: ['/health'] }))
    template.allResourcesProperties('AWS::ApiGateway::Method', {
      Integration: { Type: 'AWS_PROXY', ResponseTransferMode: 'STREAM', TimeoutInMillis: 900_000 },
    })
  })
})

describe("the account's role for logs of API Gateway", () => {
  const ACCOUNT = 'AWS::ApiGateway::Account'

  test('is set, and kept, by default', () => {
    templateWith(() => ({})).hasResource(ACCOUNT, { DeletionPolicy: 'Retain' })
  })

  test('is left alone if another stack sets it; the API logs all the same', () => {
    const template = templateWith(() => ({ cloudWatchRole: false }))
    template.resourceCountIs(ACCOUNT, 0)
    expect(JSON.stringify(template.toJSON())).not.toContain('AmazonAPIGatewayPushToCloudWatchLogs')
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      AccessLogSetting: Match.objectLike({ DestinationArn: Match.anyValue() }),
      MethodSettings: [Match.objectLike({ LoggingLevel: 'ERROR' })],
    })
  })
})

describe('an invalid property is an error at synthesis:', () => {
  const certificateIn = (stack: Stack) => Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE)
  const existing = (stack: Stack) => {
    const alias = { domainNameAliasTarget: 'd', domainNameAliasHostedZoneId: 'Z' }
    return DomainName.fromDomainNameAttributes(stack, 'Existing', { domainName: 'api.example.com', ...alias })
  }

  test.each<[string, (stack: Stack) => Props, string]>([
    [
      'a new domain without a certificate',
      () => ({ domain: { domainName: 'api.example.com' } }),
      'domain.certificate is required for a new domain; pass an IDomainName for one that exists',
    ],
    [
      'a certificate for a domain that exists',
      (stack) => ({ domain: { domainName: existing(stack), certificate: certificateIn(stack) } }),
      'domain.certificate must not be set for a domain that exists',
    ],
    [
      'a URL as a domain',
      (stack) => ({ domain: { domainName: 'https://api.example.com', certificate: certificateIn(stack) } }),
      'domain.domainName must be a host name, such as limits.example.com: https://api.example.com',
    ],
    ...['', '/limits', 'limits/', 'a//b', 'a b', 'a%20b', 'a{b}'].map(
      (basePath): [string, (stack: Stack) => Props, string] => [
        `the base path "${basePath}"`,
        (stack) => newDomain(stack, basePath),
        `domain.basePath must be segments of letters, digits, ".", "_" and "-", without a slash at either end: ${basePath}`,
      ],
    ),
    [
      'open routes without an authorizer',
      () => ({ openRoutes: ['/health'] }),
      'openRoutes requires authorizer',
    ],
    ...['health', '/', '/v1/*', '/v1/{proxy+}', '/a//b', ''].map(
      (route): [string, (stack: Stack) => Props, string] => [
        `the open route "${route}"`,
        (stack) => ({ authorizer: authorizerIn(stack), openRoutes: [route] }),
        `openRoutes must be paths without parameters, such as /health or /docs/swagger-ui.css: ${route}`,
      ],
    ),
    [
      'an open route twice',
      (stack) => ({ authorizer: authorizerIn(stack), openRoutes: ['/health', '/health'] }),
      'openRoutes must not contain a path twice',
    ],
    [
      'no throttle',
      () => ({ throttle: { requestsPerSecond: 0, burst: 1 } }),
      'throttle.requestsPerSecond must be an integer of at least 1, not 0',
    ],
    [
      'half a burst',
      () => ({ throttle: { requestsPerSecond: 10, burst: 2.5 } }),
      'throttle.burst must be an integer of at least 1, not 2.5',
    ],
    [
      'a global web ACL',
      () => ({ webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1' }),
      'webAclArn must be the ARN of a regional web ACL: arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1',
    ],
    [
      'too little memory',
      () => ({ memoryMb: 127 }),
      'memoryMb must be an integer from 128 to 10240, not 127',
    ],
  ])('%s', (_, props, message) => {
    const stack = newStack()
    expect(() => apiIn(stack, props(stack))).toThrow(message)
  })
})

describe('under the AWS Solutions rules', () => {
  const exitCode = process.exitCode
  afterEach(() => {
    process.exitCode = exitCode
  })

  test('an API with a domain violates none that is not acknowledged with a reason', () => {
    const app = createApp()
    const mine = new Stack(app, 'Mine')
    new ZaelStack(app, 'Zael-demo', {
      name: 'demo',
      api: { ...newDomain(mine, 'limits'), cloudWatchRole: false, reservedConcurrency: 10 },
    })
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
    app.synth()
    expect(process.exitCode).toBe(exitCode)
  })
})
