import { Resource, Stack, Validations } from 'aws-cdk-lib'
import { CfnVPCEndpoint, type IVpc, type SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import { Effect, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam'
import type { FunctionOptions, IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { LambdaOptions } from './lambda-options.ts'

/** The services of AWS that a function calls, as in the names of their endpoints. */
export type AwsService = 'dynamodb' | 'secretsmanager' | 'sns'

/** The CDK's properties for the network of a function. Throws an error that names the invalid option. */
export const networkOf = ({
  vpc,
  vpcSubnets,
  securityGroups,
}: LambdaOptions): Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> => {
  if (vpc === undefined) return {}
  const inPublic = new Set(vpc.publicSubnets.map(({ subnetId }) => subnetId))
  if (vpc.selectSubnets(vpcSubnets).subnetIds.some((id) => inPublic.has(id))) {
    throw new Error('vpcSubnets must be private subnets: a function in a public one has no public address')
  }
  return {
    vpc,
    ...(vpcSubnets !== undefined && { vpcSubnets }),
    ...(securityGroups !== undefined && { securityGroups: [...securityGroups] }),
  }
}

/**
 * Makes synthesis fail if a function in isolated subnets cannot reach a service that it calls. A VPC of another app is not
 * checked: its endpoints are unknown. The check runs last, as endpoints may be added later.
 */
export const requireEndpoints = (
  scope: Construct,
  { vpc, vpcSubnets }: LambdaOptions,
  services: readonly AwsService[],
): void => {
  if (vpc === undefined || !Resource.isOwnedResource(vpc) || !isIsolated(vpc, vpcSubnets)) return
  scope.node.addValidation({
    validate: () => {
      const present = endpointsOf(scope, vpc)
      return services.filter((service) => !present.some((name) => name.includes(`.${service}`))).map(missing)
    },
  })
}

const isIsolated = (vpc: IVpc, selection: SubnetSelection | undefined): boolean => {
  const isolated = new Set(vpc.isolatedSubnets.map(({ subnetId }) => subnetId))
  return vpc.selectSubnets(selection).subnetIds.some((id) => isolated.has(id))
}

/** The names of the services for which the app has endpoints in `vpc`, as JSON. */
const endpointsOf = (scope: Construct, vpc: IVpc): readonly string[] => {
  const resolve = (value: unknown): string => JSON.stringify(Stack.of(vpc).resolve(value))
  return scope.node.root.node
    .findAll()
    .filter((construct) => construct instanceof CfnVPCEndpoint)
    .filter((endpoint) => resolve(endpoint.vpcId) === resolve(vpc.vpcId))
    .map((endpoint) => resolve(endpoint.serviceName))
}

const missing = (service: AwsService): string =>
  service === 'dynamodb'
    ? "vpcSubnets are isolated: the function needs a gateway endpoint for DynamoDB: vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB })"
    : `vpcSubnets are isolated: the function needs an interface endpoint for ${service} (vpc.addInterfaceEndpoint), or subnets with a NAT gateway`

/** What the Lambda service does with the role of a function in a VPC: AWSLambdaVPCAccessExecutionRole, without its logs. */
const INTERFACE_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
]

/** Lets the Lambda service connect a function to its VPC. */
export const allowNetworkInterfaces = (scope: Construct, role: Role): void => {
  role.addToPolicy(new PolicyStatement({ actions: INTERFACE_ACTIONS, resources: ['*'] }))
  Validations.of(scope).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'The Lambda service needs it to connect the function to the VPC, and its code is denied the same actions.',
  })
}

/**
 * The role is the function's too: its code does not need these actions. This is a policy of its own, as one that the function
 * depends on cannot name it.
 */
export const denyNetworkInterfacesToCode = (scope: Construct, role: Role, fn: IFunction): void => {
  new Policy(scope, 'NoNetworkInterfaces', {
    roles: [role],
    statements: [
      new PolicyStatement({
        effect: Effect.DENY,
        actions: INTERFACE_ACTIONS,
        resources: ['*'],
        conditions: { ArnEquals: { 'lambda:SourceFunctionArn': fn.functionArn } },
      }),
    ],
  })
}
