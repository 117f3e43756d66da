import { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { type IVpc, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2'
import { Architecture, Code } from 'aws-cdk-lib/aws-lambda'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, test } from 'vitest'
import type { LambdaOptions } from '../../lib/lambda-options.ts'
import { ZaelAggregator } from '../../lib/zael-aggregator.ts'
import { ZaelTable } from '../../lib/zael-table.ts'
import { createApp, idOf, resourcesOf, type Statement } from './synthesize.ts'

const FUNCTION = 'AWS::Lambda::Function'

/** A stack with a function that has these options; every function of zael takes them in the same way. */
const stackWith = (options: (stack: Stack) => LambdaOptions): Stack => {
  const stack = new Stack(createApp(), 'Mine')
  const table = new ZaelTable(stack, 'Limits')
  new ZaelAggregator(stack, 'Usage', { table, streamArn: table.streamArn, ...options(stack) })
  return stack
}
const templateWith = (options: (stack: Stack) => LambdaOptions): Template =>
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
})
