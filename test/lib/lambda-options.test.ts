import { Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Architecture, Code } from 'aws-cdk-lib/aws-lambda'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterEach, describe, expect, test } from 'vitest'
import type { AlertAccess } from '../../lib/alert-access.ts'
import type { LambdaOptions } from '../../lib/lambda-options.ts'
import { ZaelAggregator } from '../../lib/zael-aggregator.ts'
import { ZaelApi } from '../../lib/zael-api.ts'
import { ZaelStack } from '../../lib/zael-stack.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { ZaelTokens } from '../../lib/zael-tokens.ts'
import { createApp, idOf, resourcesOf, type Statement } from './synthesize.ts'

const FUNCTION = 'AWS::Lambda::Function'

/** A stack with a function that has these options; every function of zael takes them in the same way. */
const stackWith = (options: (stack: Stack) => LambdaOptions & AlertAccess): Stack => {
  const stack = new Stack(createApp(), 'Mine')
  const table = new ZaelTable(stack, 'Limits')
  new ZaelAggregator(stack, 'Usage', { table, streamArn: table.streamArn, ...options(stack) })
  return stack
}
const templateWith = (options: (stack: Stack) => LambdaOptions & AlertAccess): Template =>
  Template.fromStack(stackWith(options))

test('a function has 256 MB, runs on arm64, keeps its logs for a month, and shares the concurrency of the account', () => {
  const template = templateWith(() => ({}))
  template.hasResourceProperties(FUNCTION, {
    MemorySize: 256,
    Architectures: ['arm64'],
    ReservedConcurrentExecutions: Match.absent(),
    VpcConfig: Match.absent(),
  })
  template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
})

test('memory, architecture, concurrency and the retention of logs can be set', () => {
  const template = templateWith(() => ({
    memoryMb: 1024,
    architecture: Architecture.X86_64,
    reservedConcurrency: 5,
    logRetention: RetentionDays.THREE_DAYS,
  }))
  template.hasResourceProperties(FUNCTION, {
    MemorySize: 1024,
    Architectures: ['x86_64'],
    ReservedConcurrentExecutions: 5,
  })
  template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 3 })
})

test('the code can be in a bucket of the user', () => {
  const template = templateWith((stack) => ({
    code: Code.fromBucketV2(Bucket.fromBucketName(stack, 'Artifacts', 'my-artifacts'), 'zael/aggregator.zip'),
  }))
  template.hasResourceProperties(FUNCTION, {
    Code: { S3Bucket: 'my-artifacts', S3Key: 'zael/aggregator.zip' },
  })
})

/** CloudWatch has one, three and five. */
const TWO_DAYS: number = 2

describe('an invalid option is an error at synthesis:', () => {
  test.each<[string, LambdaOptions, string]>([
    ['too little memory', { memoryMb: 64 }, 'memoryMb must be an integer from 128 to 10240, not 64'],
    ['too much memory', { memoryMb: 10_241 }, 'memoryMb must be an integer from 128 to 10240, not 10241'],
    ['no number', { memoryMb: Number.NaN }, 'memoryMb must be an integer from 128 to 10240, not NaN'],
    [
      'half a concurrency',
      { reservedConcurrency: 0.5 },
      'reservedConcurrency must be an integer of at least 0, not 0.5',
    ],
    ['subnets without a VPC', { vpcSubnets: {} }, 'vpcSubnets requires vpc'],
    ['security groups without a VPC', { securityGroups: [] }, 'securityGroups requires vpc'],
    [
      'a retention that CloudWatch lacks',
      { logRetention: TWO_DAYS },
      'logRetention must be a value of RetentionDays, not 2',
    ],
  ])('%s', (_, options, message) => {
    expect(() => stackWith(() => options)).toThrow(message)
  })
})

describe('in a VPC', () => {
  /** With `exactOptionalPropertyTypes`, the CDK's class is not its own interface. */
  const vpcIn = (stack: Stack) => new Vpc(stack, 'Network', { maxAzs: 2, natGateways: 1 }) as IVpc
  const inVpc = (stack: Stack): LambdaOptions => ({
    vpc: vpcIn(stack),
    vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
  })

  test('a function has interfaces in its subnets, and a security group that nothing can connect to', () => {
    const template = templateWith(inVpc)
    template.hasResourceProperties(FUNCTION, {
      VpcConfig: { SubnetIds: [Match.anyValue(), Match.anyValue()], SecurityGroupIds: [Match.anyValue()] },
    })
    template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() })
  })

  test('a function uses the given security groups only', () => {
    const template = templateWith((stack) => {
      const vpc = vpcIn(stack)
      return { vpc, securityGroups: [new SecurityGroup(stack, 'Given', { vpc })] }
    })
    const group = idOf(template, 'AWS::EC2::SecurityGroup', 'Given')
    template.hasResourceProperties(FUNCTION, {
      VpcConfig: { SecurityGroupIds: [{ 'Fn::GetAtt': [group, 'GroupId'] }] },
    })
  })

  test('the Lambda service may create the interfaces, and the code may not', () => {
    const template = templateWith(inVpc)
    const statements = Object.values(resourcesOf(template))
      .filter(({ Type }) => Type === 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => {
        const { Statement } = Properties.PolicyDocument as { readonly Statement: readonly Statement[] }
        return Statement.filter(({ Action }) => [Action].flat().includes('ec2:CreateNetworkInterface'))
      })
    const Action = [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ]
    const ofFunction = { 'Fn::GetAtt': [idOf(template, FUNCTION, 'UsageHandler'), 'Arn'] }
    expect(statements).toHaveLength(2)
    expect(statements).toContainEqual({ Action, Effect: 'Allow', Resource: '*' })
    expect(statements).toContainEqual({
      Action,
      Effect: 'Deny',
      Resource: '*',
      Condition: { ArnEquals: { 'lambda:SourceFunctionArn': ofFunction } },
    })
  })

  test('a public subnet is rejected: a function has no public address there', () => {
    const inPublic = (stack: Stack) => ({ vpc: vpcIn(stack), vpcSubnets: { subnetType: SubnetType.PUBLIC } })
    expect(() => stackWith(inPublic)).toThrow('vpcSubnets must be private subnets')
  })
})

describe('in isolated subnets', () => {
  const isolatedVpc = (stack: Stack) =>
    new Vpc(stack, 'Isolated', {
      natGateways: 0,
      subnetConfiguration: [{ name: 'Isolated', subnetType: SubnetType.PRIVATE_ISOLATED }],
    })
  const optionsOf = (vpc: Vpc): LambdaOptions => ({
    vpc: vpc as IVpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  })
  const DYNAMODB = { service: GatewayVpcEndpointAwsService.DYNAMODB }
  const NO_ENDPOINT = 'vpcSubnets are isolated: the function needs a gateway endpoint for DynamoDB'

  test('a function that cannot reach DynamoDB is an error at synthesis', () => {
    expect(() => templateWith((stack) => optionsOf(isolatedVpc(stack)))).toThrow(NO_ENDPOINT)
  })

  test('an endpoint of another VPC, or for another service, does not help', () => {
    const withOthers = (stack: Stack): LambdaOptions => {
      new Vpc(stack, 'Other').addGatewayEndpoint('DynamoDb', DYNAMODB)
      const vpc = isolatedVpc(stack)
      vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
      return optionsOf(vpc)
    }
    expect(() => templateWith(withOthers)).toThrow(NO_ENDPOINT)
  })

  test('a gateway endpoint suffices, also one that is added later', () => {
    const stack = stackWith((it) => optionsOf(isolatedVpc(it)))
    const vpc = stack.node.findChild('Isolated')
    if (vpc instanceof Vpc) vpc.addGatewayEndpoint('DynamoDb', DYNAMODB)
    Template.fromStack(stack).hasResourceProperties(FUNCTION, { VpcConfig: Match.anyValue() })
  })

  test('a VPC of another stack is checked as well', () => {
    const app = createApp()
    const network = new Stack(app, 'Network')
    const vpc = isolatedVpc(network)
    const stack = new Stack(app, 'Mine')
    const table = new ZaelTable(stack, 'Limits')
    new ZaelAggregator(stack, 'Usage', { table, streamArn: table.streamArn, ...optionsOf(vpc) })
    expect(() => app.synth()).toThrow(NO_ENDPOINT)
    vpc.addGatewayEndpoint('DynamoDb', DYNAMODB)
    expect(() => app.synth({ force: true })).not.toThrow()
  })

  test('the endpoints of an imported VPC are not known, and not required', () => {
    const imported = (stack: Stack): LambdaOptions => ({
      vpc: Vpc.fromVpcAttributes(stack, 'Imported', {
        vpcId: 'vpc-0a1b2c3d',
        availabilityZones: ['eu-central-1a'],
        isolatedSubnetIds: ['subnet-0a1b2c3d'],
      }),
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    })
    templateWith(imported).hasResourceProperties(FUNCTION, { VpcConfig: { SubnetIds: ['subnet-0a1b2c3d'] } })
  })

  test('the API also needs Secrets Manager', () => {
    const stack = new Stack(createApp(), 'Mine')
    const vpc = isolatedVpc(stack)
    vpc.addGatewayEndpoint('DynamoDb', DYNAMODB)
    const tokens = new ZaelTokens(stack, 'Tokens', { label: 'limits' })
    const table = new ZaelTable(stack, 'Limits')
    new ZaelApi(stack, 'Api', {
      table,
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      ...optionsOf(vpc),
    })
    expect(() => Template.fromStack(stack)).toThrow('needs an interface endpoint for secretsmanager')
    vpc.addInterfaceEndpoint('Secrets', { service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER })
    expect(() => Template.fromStack(stack)).not.toThrow()
  })

  test('the aggregator needs what its alerts are sent with', () => {
    const alertTopics = ['arn:aws:sns:eu-central-1:123456789012:budgets']
    const withTopics = (stack: Stack) => {
      const vpc = isolatedVpc(stack)
      vpc.addGatewayEndpoint('DynamoDb', DYNAMODB)
      return { ...optionsOf(vpc), alertTopics }
    }
    expect(() => templateWith(withTopics)).toThrow('needs an interface endpoint for sns')
  })
})

describe('under the AWS Solutions rules', () => {
  const exitCode = process.exitCode
  afterEach(() => {
    process.exitCode = exitCode
  })

  test('a zael in a VPC violates none that is not acknowledged with a reason', () => {
    const app = createApp()
    const vpc = Vpc.fromVpcAttributes(new Stack(app, 'Mine'), 'Imported', {
      vpcId: 'vpc-0a1b2c3d',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0a1b2c3d'],
    })
    new ZaelStack(app, 'Zael-demo', { name: 'demo', api: { vpc }, aggregator: { vpc } })
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
    app.synth()
    expect(process.exitCode).toBe(exitCode)
  })
})
