import { Validations } from 'aws-cdk-lib'
import { Effect, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam'
import type { FunctionOptions, IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { LambdaOptions } from './lambda-options.ts'

/** The CDK's properties for the network of a function. */
export const networkOf = ({
  vpc,
  vpcSubnets,
  securityGroups,
}: LambdaOptions): Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'> => ({
  ...(vpc !== undefined && { vpc }),
  ...(vpcSubnets !== undefined && { vpcSubnets }),
  ...(securityGroups !== undefined && { securityGroups: [...securityGroups] }),
})

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
