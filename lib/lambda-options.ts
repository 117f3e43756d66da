import { Token } from 'aws-cdk-lib'
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2'
import type { Architecture, Code } from 'aws-cdk-lib/aws-lambda'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'

/** The options of every function of zael. */
export interface LambdaOptions {
  /** CPU grows with memory. Default 512 for the API and the authorizer, 256 for the aggregator. */
  readonly memoryMb?: number
  /** Default arm64, which costs less. */
  readonly architecture?: Architecture
  /** How long logs are kept. Default one month. */
  readonly logRetention?: RetentionDays
  /** The environments that the function may have at a time: they are reserved for it, and it gets no more. Default: no bound of its own. */
  readonly reservedConcurrency?: number
  /** Runs the function in your VPC, from which it must reach DynamoDB: by a gateway endpoint, or a NAT gateway. Default: no VPC. */
  readonly vpc?: IVpc
  /** Default: the private subnets of `vpc`. */
  readonly vpcSubnets?: SubnetSelection
  /** Default: one of its own, which allows connections to everywhere and from nowhere. */
  readonly securityGroups?: readonly ISecurityGroup[]
  /** The function's code, such as a zip file in your bucket (`Code.fromBucketV2`). Default: the bundle in this package. */
  readonly code?: Code
}

const MEMORY_MB = { least: 128, most: 10_240 }

/** Throws an error that names the property and what is allowed. */
export const checkLambdaOptions = (options: LambdaOptions): void => {
  const { memoryMb, reservedConcurrency, logRetention, vpc, vpcSubnets, securityGroups } = options
  checkInteger('memoryMb', memoryMb, MEMORY_MB)
  checkInteger('reservedConcurrency', reservedConcurrency, { least: 0 })
  if (logRetention !== undefined && RetentionDays[logRetention] === undefined) {
    throw new Error(`logRetention must be a value of RetentionDays, not ${logRetention}`)
  }
  if (vpc === undefined && vpcSubnets !== undefined) throw new Error('vpcSubnets requires vpc')
  if (vpc === undefined && securityGroups !== undefined) throw new Error('securityGroups requires vpc')
  if (securityGroups?.length === 0) {
    throw new Error('securityGroups must contain a security group; leave it out for one of its own')
  }
}

/** Throws if the value of a property is neither undefined, nor resolved at deployment, nor an integer in the range. */
export const checkInteger = (
  property: string,
  value: number | undefined,
  { least, most = Number.POSITIVE_INFINITY }: { readonly least: number; readonly most?: number },
): void => {
  if (value === undefined || Token.isUnresolved(value)) return
  if (Number.isInteger(value) && value >= least && value <= most) return
  const range = Number.isFinite(most) ? `from ${least} to ${most}` : `of at least ${least}`
  throw new Error(`${property} must be an integer ${range}, not ${value}`)
}
