import { Duration, Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Cluster, ContainerImage, CpuArchitecture, type ICluster } from 'aws-cdk-lib/aws-ecs'
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterEach, describe, expect, test } from 'vitest'
import { ZaelService, type ZaelServiceProps } from '../../lib/zael-service.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf, permissionsOf } from './synthesize.ts'

const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/2e1b7a3c-0000-0000-0000-000000000000'

type Given = Partial<ZaelServiceProps>

/** A stack with a service over HTTPS; the image is a given one unless stated. */
const stackWith = (
  given: Given | ((stack: Stack) => Given) = {},
  image: Pick<ZaelServiceProps, 'image'> = { image: ContainerImage.fromRegistry('registry.example/zael:1') },
): Stack => {
  const stack = new Stack(createApp(), 'Mine', { env: { account: '123456789012', region: 'eu-central-1' } })
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  new ZaelService(stack, 'Service', {
    table: new ZaelTable(stack, 'Limits', { tableName: 'ZAEL-prod' }),
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
    certificate: Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE),
    ...image,
    ...(typeof given === 'function' ? given(stack) : given),
  })
  return stack
}

const synthesize = (given?: Parameters<typeof stackWith>[0]): Template => Template.fromStack(stackWith(given))

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[]
  readonly Command: readonly string[]
  readonly StopTimeout: number
  readonly User: string
  readonly ReadonlyRootFilesystem: boolean
}

const containerOf = (template: Template): Container => {
  const [task] = Object.values(template.findResources('AWS::ECS::TaskDefinition'))
  return task?.Properties.ContainerDefinitions[0]
}

const environmentOf = (template: Template): Readonly<Record<string, unknown>> =>
  Object.fromEntries(containerOf(template).Environment.map(({ Name, Value }) => [Name, Value]))

const attributeOf = (
  resource: { readonly Properties: { readonly [name: string]: unknown } },
  key: string,
) => {
  const lists = Object.values(resource.Properties).filter(Array.isArray).flat()
  return lists.find((each) => each.Key === key)?.Value
}

describe('the service', () => {
  const template = synthesize()
  const [targetGroup] = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::TargetGroup')) as {
    Properties: Record<string, unknown>
  }[]

  test('has the permissions of the API Lambda on the table and the tokens, and no others', () => {
    const tableId = idOf(template, 'AWS::DynamoDB::Table', 'Limits')
    const table = JSON.stringify({ 'Fn::GetAtt': [tableId, 'Arn'] })
    const index = JSON.stringify({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [tableId, 'Arn'] }, '/index/GSI1']] })
    const secret = (prefix: string) =>
      JSON.stringify({ Ref: idOf(template, 'AWS::SecretsManager::Secret', `Tokens${prefix}`) })
    const logs = JSON.stringify({
      'Fn::GetAtt': [idOf(template, 'AWS::Logs::LogGroup', 'ServiceLogs'), 'Arn'],
    })
    expect(permissionsOf(template, 'ServiceTaskRole').toSorted()).toEqual(
      [
        ['dynamodb:BatchGetItem', table],
        ['dynamodb:ConditionCheckItem', table],
        ['dynamodb:DeleteItem', table],
        ['dynamodb:GetItem', table],
        ['dynamodb:PutItem', table],
        ['dynamodb:Query', index],
        ['dynamodb:Query', table],
        ['dynamodb:UpdateItem', table],
        ['secretsmanager:GetSecretValue', secret('Admin')],
        ['secretsmanager:GetSecretValue', secret('Viewer')],
      ].toSorted(),
    )
    // ECS itself writes the logs
    expect(permissionsOf(template, 'ServiceTaskDefinitionExecutionRole').toSorted()).toEqual([
      ['logs:CreateLogStream', logs],
      ['logs:PutLogEvents', logs],
    ])
  })

  test('uses leases, trusts its load balancer, and names the secrets of its tokens without containing them', () => {
    expect(environmentOf(template)).toMatchObject({
      LEASE_TTL_MS: '1000',
      TRUSTED_PROXIES: '1',
      HOST: '0.0.0.0',
      PORT: '8080',
      TABLE_NAME: { Ref: expect.stringContaining('Limits') },
      ADMIN_TOKEN_SECRET_ARN: { Ref: expect.stringContaining('TokensAdmin') },
    })
    expect(Object.keys(environmentOf(template))).not.toContain('ADMIN_TOKEN')
  })

  test('lets requests end: at the load balancer, then in the process, before Fargate kills it', () => {
    const { StopTimeout } = containerOf(template)
    const { STOP_GRACE_SECONDS } = environmentOf(template)
    expect([STOP_GRACE_SECONDS, StopTimeout]).toEqual(['115', 120])
    expect(targetGroup && attributeOf(targetGroup, 'deregistration_delay.timeout_seconds')).toBe('120')
  })

  test('keeps connections open for longer than its load balancer', () => {
    const [loadBalancer] = Object.values(
      template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer'),
    ) as { Properties: Record<string, unknown> }[]
    expect(loadBalancer && attributeOf(loadBalancer, 'idle_timeout.timeout_seconds')).toBe('900')
    expect(environmentOf(template).KEEP_ALIVE_SECONDS).toBe('905')
  })

  test('runs without root on a read-only file system, with a worker per processor', () => {
    const { User, ReadonlyRootFilesystem, Command } = containerOf(template)
    expect([User, ReadonlyRootFilesystem]).toEqual(['65532', true])
    expect(Command).toEqual(['service.mjs', '--workers', '1'])
    expect(containerOf(synthesize({ cpu: 4096, memoryMb: 8192 })).Command.at(-1)).toBe('4')
    expect(containerOf(synthesize({ cpu: 256, memoryMb: 1024 })).Command.at(-1)).toBe('1')
  })

  test('is checked by its own health route, which does not read the table', () => {
    expect(targetGroup?.Properties).toMatchObject({ HealthCheckPath: '/health', TargetType: 'ip' })
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [
        { HealthCheck: Match.objectLike({ Command: ['CMD', '/nodejs/bin/node', 'health.mjs'] }) },
      ],
    })
  })

  test('is served over HTTPS; HTTP redirects to it', () => {
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: CERTIFICATE }],
    })
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: Match.objectLike({ Protocol: 'HTTPS', Port: '443' }) },
      ],
    })
  })

  test('rolls back a deployment that does not start, and never has fewer tasks than before', () => {
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 2,
      LaunchType: 'FARGATE',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      NetworkConfiguration: { AwsvpcConfiguration: Match.objectLike({ AssignPublicIp: 'DISABLED' }) },
    })
  })

  test('scales by the use of processors', () => {
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 2,
      MaxCapacity: 10,
    })
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: Match.objectLike({ TargetValue: 60 }),
    })
  })

  test('keeps logs for a month, and reaches DynamoDB without its NAT gateway', () => {
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' })
  })

  describe('under the AWS Solutions rules', () => {
    const exitCode = process.exitCode
    afterEach(() => {
      process.exitCode = exitCode
    })

    test('violates none that is not acknowledged with a reason, with the image of this package', () => {
      const stack = stackWith({ bedrockModels: ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0'] }, {})
      Validations.of(stack.node.root).addPlugins(new AwsSolutionsChecks(stack.node.root))
      createAssembly(stack)
      expect(process.exitCode).toBe(exitCode)
    })
  })
})

const createAssembly = (stack: Stack): void => {
  const { root } = stack.node
  if (!('synth' in root && typeof root.synth === 'function')) throw new TypeError('the root is no app')
  root.synth()
}

test('a given VPC and cluster are used, and no other is made', () => {
  const vpcOf = (stack: Stack): IVpc => new Vpc(stack, 'Network', { maxAzs: 2 }) as IVpc
  synthesize((stack) => ({ vpc: vpcOf(stack) })).resourceCountIs('AWS::EC2::VPC', 1)
  const inCluster = synthesize((stack) => ({
    cluster: new Cluster(stack, 'Shared', { vpc: vpcOf(stack) }) as ICluster,
  }))
  inCluster.resourceCountIs('AWS::EC2::VPC', 1)
  inCluster.resourceCountIs('AWS::ECS::Cluster', 1)
})

test('an internal service without a certificate listens on HTTP in the VPC', () => {
  const stack = new Stack(createApp(), 'Mine')
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  new ZaelService(stack, 'Service', {
    table: new ZaelTable(stack, 'Limits'),
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
    image: ContainerImage.fromRegistry('registry.example/zael:1'),
    internal: true,
  })
  const template = Template.fromStack(stack)
  template.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1)
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 80, Protocol: 'HTTP' })
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' })
})

test('settings, tasks, bounds, logs and a web ACL are those of the properties', () => {
  const template = synthesize((stack) => ({
    environment: { LEASE_TTL_MS: '5000', DEFAULT_RPM_LIMIT: '120' },
    scaling: { minTasks: 3, maxTasks: 30, cpuPercent: 40 },
    drainTimeout: Duration.minutes(15),
    idleTimeout: Duration.minutes(5),
    architecture: CpuArchitecture.X86_64,
    accessLogs: new Bucket(stack, 'AccessLogs') as IBucket,
    webAclArn: 'arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/mine/1',
  }))
  expect(environmentOf(template)).toMatchObject({
    LEASE_TTL_MS: '5000',
    DEFAULT_RPM_LIMIT: '120',
    // the longest that Fargate waits, less the time for counts and leases
    STOP_GRACE_SECONDS: '115',
    KEEP_ALIVE_SECONDS: '305',
  })
  template.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 3 })
  template.hasResourceProperties('AWS::ECS::TaskDefinition', {
    RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
  })
  template.hasResourceProperties('AWS::WAFv2::WebACLAssociation', { ResourceArn: Match.anyValue() })
  const brief = synthesize({ drainTimeout: Duration.seconds(20) })
  expect([environmentOf(brief).STOP_GRACE_SECONDS, containerOf(brief).StopTimeout]).toEqual(['20', 25])
})

test.each<readonly [Given, string]>([
  [{ environment: { LEASE_TTL: '5' } }, 'LEASE_TTL is not a setting of zael'],
  [{ environment: { HOST: '127.0.0.1' } }, 'HOST cannot be set'],
  [{ environment: { ADMIN_TOKEN: 'a-token-in-plain-text' } }, 'ADMIN_TOKEN cannot be set: use adminToken'],
  [{ environment: { STOP_GRACE_SECONDS: '5' } }, 'STOP_GRACE_SECONDS cannot be set: use drainTimeout'],
  [
    { scaling: { minTasks: 3, maxTasks: 2 } },
    'scaling.minTasks must not exceed scaling.maxTasks, which is 2',
  ],
  [{ scaling: { minTasks: 0 } }, 'scaling.minTasks must be an integer of at least 1, not 0'],
  [{ scaling: { cpuPercent: 101 } }, 'scaling.cpuPercent must be an integer from 1 to 100, not 101'],
  [{ drainTimeout: Duration.hours(2) }, 'drainTimeout, in seconds, must be an integer from 1 to 3600'],
  [{ idleTimeout: Duration.hours(1) }, 'idleTimeout, in seconds, must be an integer from 1 to 3595'],
])('mistakes are errors at synthesis that name the property: %j', (given, message) => {
  expect(() => stackWith(given)).toThrow(message)
})

test('a load balancer on the internet requires a certificate', () => {
  const stack = new Stack(createApp(), 'Mine')
  const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
  const props = {
    table: new ZaelTable(stack, 'Limits'),
    adminToken: tokens.admin,
    viewerToken: tokens.viewer,
  }
  expect(() => new ZaelService(stack, 'Service', props)).toThrow('certificate is required')
})
