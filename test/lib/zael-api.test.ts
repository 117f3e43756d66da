import { Lazy, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import type { RestApi } from 'aws-cdk-lib/aws-apigateway'
import { type IVpc, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Key } from 'aws-cdk-lib/aws-kms'
import { CapacityProvider } from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, test } from 'vitest'
import type { Flavour } from '../../lib/construct-props.ts'
import { ZaelApi, type ZaelApiProps } from '../../lib/zael-api.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf, permissionsOf, type Statement, synthesize } from './synthesize.ts'

describe('the API on managed instances', () => {
  const PROVIDER = 'arn:aws:lambda:eu-central-1:123456789012:capacity-provider:limits'

  const synthesizeManaged = (given: Partial<ZaelApiProps> = {}): Template => {
    const stack = new Stack(createApp(), 'Mine')
    const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
    new ZaelApi(stack, 'Api', {
      table: new ZaelTable(stack, 'Limits'),
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      managedInstances: {
        capacityProvider: { capacityProviderArn: PROVIDER },
        maxConcurrency: 128,
        memoryGiBPerVcpu: 2,
        minEnvironments: 3,
        maxEnvironments: 12,
      },
      ...given,
    })
    return Template.fromStack(stack)
  }

  test('serves many requests per environment, with at least the memory that Lambda requires', () => {
    synthesizeManaged().hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 2048,
      CapacityProviderConfig: {
        LambdaManagedInstancesCapacityProviderConfig: {
          CapacityProviderArn: PROVIDER,
          PerExecutionEnvironmentMaxConcurrency: 128,
          ExecutionEnvironmentMemoryGiBPerVCpu: 2,
        },
      },
      PublishToLatestPublished: true,
      FunctionScalingConfig: { MinExecutionEnvironments: 3, MaxExecutionEnvironments: 12 },
      Environment: { Variables: Match.objectLike({ MANAGED_INSTANCES: 'true' }) },
    })
  })

  test('takes a capacity provider of the CDK', () => {
    const stack = new Stack(createApp(), 'Mine')
    const vpc = new Vpc(stack, 'Network')
    const securityGroups = [new SecurityGroup(stack, 'Group', { vpc: vpc as IVpc })]
    const capacityProvider = new CapacityProvider(stack, 'Capacity', {
      subnets: vpc.privateSubnets,
      securityGroups,
    })
    const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
    new ZaelApi(stack, 'Api', {
      table: new ZaelTable(stack, 'Limits'),
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      managedInstances: { capacityProvider },
    })
    const template = Template.fromStack(stack)
    template.hasResourceProperties('AWS::Lambda::Function', {
      CapacityProviderConfig: {
        LambdaManagedInstancesCapacityProviderConfig: {
          CapacityProviderArn: {
            'Fn::GetAtt': [idOf(template, 'AWS::Lambda::CapacityProvider', 'Capacity'), 'Arn'],
          },
        },
      },
    })
  })

  test('leaves to Lambda what is not stated', () => {
    const capacityProvider = { capacityProviderArn: PROVIDER }
    synthesizeManaged({ managedInstances: { capacityProvider } }).hasResourceProperties(
      'AWS::Lambda::Function',
      {
        CapacityProviderConfig: {
          LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: PROVIDER },
        },
        FunctionScalingConfig: Match.absent(),
      },
    )
  })

  const managed = (given: object) => ({
    managedInstances: { capacityProvider: { capacityProviderArn: PROVIDER }, ...given },
  })

  test.each<readonly [Partial<ZaelApiProps>, string]>([
    [{ memoryMb: 512 }, 'memoryMb, with managedInstances, must be an integer from 2048 to 32768, not 512'],
    [{ reservedConcurrency: 5 }, 'reservedConcurrency must not be set beside managedInstances'],
    [managed({ maxConcurrency: 0 }), 'managedInstances.maxConcurrency must be an integer of at least 1'],
    [managed({ memoryGiBPerVcpu: 3 }), 'managedInstances.memoryGiBPerVcpu must be 2, 4 or 8, not 3'],
  ])('mistakes are errors that name the property: %j', (given, message) => {
    expect(() => synthesizeManaged(given)).toThrow(message)
  })

  test('an API without them serves one request per environment', () => {
    const template = synthesize('aws')
    expect(JSON.stringify(template.toJSON())).not.toMatch(/CapacityProvider|MANAGED_INSTANCES/)
  })
})

describe('the API on AWS', () => {
  const template = synthesize('aws')
  const tableId = idOf(template, 'AWS::DynamoDB::Table', 'Table')

  test('has the permissions on the table that it needs, and no others', () => {
    const table = JSON.stringify({ 'Fn::GetAtt': [tableId, 'Arn'] })
    const index = JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [tableId, 'Arn'] }, '/index/GSI1']] })
    const secret = (prefix: string) =>
      JSON.stringify({ Ref: idOf(template, 'AWS::SecretsManager::Secret', `Tokens${prefix}`) })
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', 'ApiHandlerLogs'), 'Arn'],
    })
    expect(permissionsOf(template, 'ApiHandler').toSorted()).toEqual(
      [
        ['dynamodb:BatchGetItem', table],
        ['dynamodb:ConditionCheckItem', table],
        ['dynamodb:DeleteItem', table],
        ['dynamodb:GetItem', table],
        ['dynamodb:PutItem', table],
        ['dynamodb:Query', index],
        ['dynamodb:Query', table],
        ['dynamodb:UpdateItem', table],
        ['logs:CreateLogStream', logs],
        ['logs:PutLogEvents', logs],
        ['secretsmanager:GetSecretValue', secret('Admin')],
        ['secretsmanager:GetSecretValue', secret('Viewer')],
      ].toSorted(),
    )
  })

  test('runs on arm64 and a supported runtime', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'zael: the HTTP API',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
    })
  })

  test('streams its responses, for as long as the Lambda runs', () => {
    template.allResourcesProperties('AWS::ApiGateway::Method', {
      HttpMethod: 'ANY',
      Integration: { Type: 'AWS_PROXY', ResponseTransferMode: 'STREAM', TimeoutInMillis: 900_000 },
    })
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 900,
      Environment: { Variables: { RESPONSE_STREAMING: 'true' } },
    })
  })

  test('is regional, throttled, and logs callers without their input', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: { Types: ['REGIONAL'] },
    })
    const [stage] = Object.values(template.findResources('AWS::ApiGateway::Stage'))
    expect(stage?.Properties.MethodSettings).toEqual([
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'ERROR',
        ThrottlingRateLimit: 1000,
        ThrottlingBurstLimit: 2000,
      },
    ])
    const format: string = stage?.Properties.AccessLogSetting.Format
    expect(format).toContain('$context.status')
    expect(format).not.toMatch(/authorizer|header|authorization|apiKey/i)
  })

  test('routes the root and every path below it to the Lambda', () => {
    template.resourceCountIs('AWS::ApiGateway::Method', 2)
    template.hasResourceProperties('AWS::ApiGateway::Resource', { PathPart: '{proxy+}' })
  })
})

/** An API in a stack of its owner. */
const apiIn = (stack: Stack, props: Partial<ZaelApiProps>): ZaelApi => {
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  return new ZaelApi(stack, 'Api', {
    table: new ZaelTable(stack, 'Limits').table,
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
    ...props,
  })
}

test('a web ACL of the user protects the API', () => {
  const stack = new Stack(createApp(), 'Mine')
  apiIn(stack, { webAclArn: 'arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/mine/1' })
  Template.fromStack(stack).resourceCountIs('AWS::WAFv2::WebACLAssociation', 1)
})

describe('access to upstreams', () => {
  const EU = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
  const OPENAI = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:openai-AbCdEf'
  const synthesized = (props: (stack: Stack) => Partial<ZaelApiProps>) => {
    const stack = new Stack(createApp(), 'Mine', { env: { account: '123456789012', region: 'eu-central-1' } })
    apiIn(stack, props(stack))
    return Template.fromStack(stack)
  }
  const statementsOf = (template: Template, service: string): readonly Statement[] =>
    Object.values(template.findResources('AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as readonly Statement[])
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith(`${service}:`)))
  const secretReads = (template: Template) =>
    permissionsOf(template, 'ApiHandler').filter(([action]) => action.startsWith('secretsmanager'))
  const arn = (rest: string) => ({ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:${rest}`]] })
  const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream']
  const variables = (template: Template) =>
    Object.values(template.findResources('AWS::Lambda::Function'))[0]?.Properties.Environment.Variables

  test('is none by default', () => {
    const template = synthesized(() => ({}))
    expect(JSON.stringify(template.toJSON())).not.toMatch(/bedrock/i)
    expect(secretReads(template)).toHaveLength(2)
    expect(variables(template)).not.toHaveProperty('UPSTREAM_ALLOWED_SECRET_ARNS')
  })

  test('a model is allowed in the region of the stack, and an ARN as it is', () => {
    const elsewhere = 'arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-20b-1:0'
    const template = synthesized(() => ({ bedrockModels: ['openai.gpt-oss-120b-1:0', elsewhere] }))
    const model = arn('bedrock:eu-central-1::foundation-model/openai.gpt-oss-120b-1:0')
    expect(statementsOf(template, 'bedrock')).toEqual([
      { Action: INVOKE, Effect: 'Allow', Resource: model },
      { Action: INVOKE, Effect: 'Allow', Resource: elsewhere },
    ])
  })

  test.each([
    EU,
    'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
    'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0',
  ])('the profile %s is allowed, and its model only through it', (profile) => {
    const template = synthesized(() => ({ bedrockModels: [profile] }))
    const profileArn = arn(`bedrock:eu-central-1:123456789012:inference-profile/${profile}`)
    expect(statementsOf(template, 'bedrock')).toEqual([
      { Action: INVOKE, Effect: 'Allow', Resource: profileArn },
      {
        Action: INVOKE,
        Effect: 'Allow',
        Resource: arn('bedrock:*::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0'),
        Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profileArn } },
      },
    ])
  })

  test.each(['*', 'anthropic.*', 'arn:aws:bedrock:*::foundation-model/*', 'anthropic claude', ''])(
    'the model %j is rejected',
    (model) => {
      expect(() => synthesized(() => ({ bedrockModels: [model] }))).toThrow(
        'bedrockModels must be ids or ARNs',
      )
    },
  )

  test('bedrock-mantle is allowed on the default project', () => {
    expect(
      statementsOf(
        synthesized(() => ({ bedrockMantle: true })),
        'bedrock-mantle',
      ),
    ).toEqual([
      {
        Action: 'bedrock-mantle:CreateInference',
        Effect: 'Allow',
        Resource: arn('bedrock-mantle:eu-central-1:123456789012:project/default'),
      },
    ])
    expect(
      statementsOf(
        synthesized(() => ({ bedrockMantle: false })),
        'bedrock-mantle',
      ),
    ).toEqual([])
  })

  test('secrets may be read and referenced, exactly these, with their keys', () => {
    const template = synthesized((stack) => ({
      upstreamSecrets: [
        OPENAI,
        new Secret(stack, 'Anthropic', { encryptionKey: new Key(stack, 'Key') }),
        Secret.fromSecretCompleteArn(stack, 'Imported', OPENAI.replace('openai', 'groq')),
      ],
    }))
    const made = { Ref: idOf(template, 'AWS::SecretsManager::Secret', 'Anthropic') }
    const groq = OPENAI.replace('openai', 'groq')
    expect(
      secretReads(template)
        .map(([, resource]) => resource)
        .slice(2),
    ).toEqual([OPENAI, made, groq].map((resource) => JSON.stringify(resource)))
    expect(variables(template).UPSTREAM_ALLOWED_SECRET_ARNS).toEqual({
      'Fn::Join': ['', [`${OPENAI},`, made, `,${groq}`]],
    })
    expect(statementsOf(template, 'kms')).toMatchObject([{ Action: 'kms:Decrypt' }])
  })

  test.each<[text: string, secret: (stack: Stack) => NonNullable<ZaelApiProps['upstreamSecrets']>[number]]>([
    ['a name', () => 'openai'],
    ['an ARN without its end', () => OPENAI.slice(0, -7)],
    ['a pattern', () => OPENAI.replace('openai', '*')],
    ['a secret that was imported by name', (stack) => Secret.fromSecretNameV2(stack, 'Named', 'openai')],
  ])('%s is rejected as a secret', (_, secret) => {
    expect(() => synthesized((stack) => ({ upstreamSecrets: [secret(stack)] }))).toThrow(/complete ARN/)
  })

  test("zael's own tokens are rejected as secrets", () => {
    const stack = new Stack(createApp(), 'Mine')
    const { admin, viewer } = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
    const table = new ZaelTable(stack, 'Limits').table
    const api = (upstreamSecrets: ZaelApiProps['upstreamSecrets']) => () =>
      new ZaelApi(stack, 'Api', {
        table,
        adminToken: admin,
        viewerToken: viewer,
        upstreamSecrets: upstreamSecrets ?? [],
      })
    expect(api([viewer])).toThrow("upstreamSecrets must not contain the secrets of zael's own tokens")
  })

  test('the list of secrets cannot be set without the permission to read them', () => {
    expect(() => synthesized(() => ({ environment: { UPSTREAM_ALLOWED_SECRET_ARNS: OPENAI } }))).toThrow(
      'UPSTREAM_ALLOWED_SECRET_ARNS cannot be set: list the secrets in upstreamSecrets',
    )
  })
})

describe('the environment', () => {
  const withEnvironment = (environment: Readonly<Record<string, string>>) => () =>
    apiIn(new Stack(createApp(), 'Mine'), { environment })

  test('is rejected with keys of a file', () => {
    expect(withEnvironment({ API_KEYS_JSON: '{"keys": {}}' })).toThrow(
      'environment: API_KEYS_JSON cannot be set: make keys by POST /api/entities/{id}/keys',
    )
  })

  test('is rejected with a file of upstreams', () => {
    expect(withEnvironment({ UPSTREAMS_FILE: 'upstreams.yaml' })).toThrow(
      'environment: UPSTREAMS_FILE cannot be set: add upstreams by PUT /api/upstreams/{name} and models by PUT /api/models/{id}',
    )
  })

  test('is rejected with every error: invalid values and misspelled settings', () => {
    expect(withEnvironment({ DEFAULT_RPM_LIMIT: 'abc', LEASE_TTL: '0' })).toThrow(
      /^environment: DEFAULT_RPM_LIMIT must .*; LEASE_TTL is not a setting of zael; the nearest one is LEASE_TTL_MS$/,
    )
    expect(withEnvironment({ UPSTREAM_TIMEOUT: '1' })).toThrow('UPSTREAM_TIMEOUT')
    expect(withEnvironment({ VIEWER_TOKEN: 'dev-admin' })).toThrow(
      'VIEWER_TOKEN must differ from ADMIN_TOKEN',
    )
  })

  test('accepts settings, and variables of other programs', () => {
    expect(
      withEnvironment({ DEFAULT_RPM_LIMIT: 'none', LEASE_TTL_MS: '0', NODE_OPTIONS: '--no-warnings' }),
    ).not.toThrow()
  })

  test('accepts a value known only at deployment, and its dependencies', () => {
    const late = Lazy.string({ produce: () => 'a-token' })
    expect(withEnvironment({ ADMIN_TOKEN: late, VIEWER_TOKEN: 'dev-admin' })).not.toThrow()
    expect(withEnvironment({ ADMIN_TOKEN: late, LEASE_TTL_MS: 'x' })).toThrow('LEASE_TTL_MS must')
  })
})

describe('the API on an emulator', () => {
  const template = synthesize('local')

  test('responds without streaming, which emulators do not support', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/ResponseTransferMode|response-streaming/)
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { RESPONSE_STREAMING: 'false' } },
    })
  })

  test('decodes images, even on LocalStack, which does not support */*', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: ['*/*', 'image/*'] })
    synthesize('aws').allResourcesProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: Match.absent() })
  })

  test('waits for a slow table, unless the owner sets a timeout', () => {
    const deadlineOf = (of: Template) =>
      Object.values(
        of.findResources('AWS::Lambda::Function', { Properties: { Description: 'zael: the HTTP API' } }),
      )[0]?.Properties.Environment.Variables.STORE_DEADLINE_MS
    expect(deadlineOf(template)).toBe('10000')
    expect(deadlineOf(synthesize('aws'))).toBe('1000')
    const stack = new Stack(createApp(), 'Mine')
    apiIn(stack, { flavour: 'local', environment: { STORE_DEADLINE_MS: '300' } })
    expect(deadlineOf(Template.fromStack(stack))).toBe('300')
  })

  test('keeps its deployment when its definition changes: LocalStack cannot move a stage to another', () => {
    const deployments = (flavour: Flavour, change: (api: RestApi) => void) => {
      const stack = new Stack(createApp(), 'Mine')
      change(apiIn(stack, { flavour }).api)
      return Object.keys(Template.fromStack(stack).findResources('AWS::ApiGateway::Deployment'))
    }
    const asItIs = () => {}
    const changed = (api: RestApi) => api.root.addResource('more').addMethod('GET')
    expect(deployments('local', changed)).toEqual(deployments('local', asItIs))
    expect(deployments('aws', changed)).not.toEqual(deployments('aws', asItIs))
  })
})
