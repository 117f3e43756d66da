import { CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { checkInteger, type LambdaOptions } from './lambda-options.ts'

/** A capacity provider of Lambda: the CDK's, or an imported one. */
export interface CapacityProviderRef {
  readonly capacityProviderArn: string
}

/** Runs a function on Lambda Managed Instances: EC2 instances on which an environment serves many requests at a time. */
export interface ManagedInstances {
  readonly capacityProvider: CapacityProviderRef
  /** Requests that an environment serves at a time. Default: that of Lambda, which is 64 per vCPU. */
  readonly maxConcurrency?: number
  /** Memory per vCPU, in GiB: 2, 4 or 8. Default: that of Lambda, 2. */
  readonly memoryGiBPerVcpu?: number
  /** Environments that are kept ready. Default: that of Lambda, 3. */
  readonly minEnvironments?: number
  /** Default: no bound. */
  readonly maxEnvironments?: number
}

/** Lambda accepts no smaller functions there. */
export const LEAST_MANAGED_MB = 2048

/** Throws an error that names the property and what is allowed. */
export const checkManagedInstances = (
  managed: ManagedInstances,
  { memoryMb, vpc, reservedConcurrency }: LambdaOptions,
): void => {
  checkInteger('managedInstances.maxConcurrency', managed.maxConcurrency, { least: 1 })
  checkInteger('managedInstances.minEnvironments', managed.minEnvironments, { least: 0 })
  checkInteger('managedInstances.maxEnvironments', managed.maxEnvironments, { least: 1 })
  checkInteger('memoryMb, with managedInstances,', memoryMb, { least: LEAST_MANAGED_MB, most: 32_768 })
  const { memoryGiBPerVcpu } = managed
  if (memoryGiBPerVcpu !== undefined && ![2, 4, 8].includes(memoryGiBPerVcpu)) {
    throw new Error(`managedInstances.memoryGiBPerVcpu must be 2, 4 or 8, not ${memoryGiBPerVcpu}`)
  }
  if (vpc !== undefined)
    throw new Error('vpc must not be set beside managedInstances: the capacity provider has one')
  if (reservedConcurrency !== undefined) {
    throw new Error('reservedConcurrency must not be set beside managedInstances: use maxEnvironments')
  }
}

/** Sets the properties of CloudFormation, which take imported capacity providers too. */
export const runOnManagedInstances = (fn: LambdaFunction, managed: ManagedInstances): void => {
  const resource = fn.node.defaultChild
  if (!(resource instanceof CfnFunction)) throw new TypeError('the function has no resource')
  const { maxConcurrency, memoryGiBPerVcpu, minEnvironments, maxEnvironments } = managed
  resource.capacityProviderConfig = {
    lambdaManagedInstancesCapacityProviderConfig: {
      capacityProviderArn: managed.capacityProvider.capacityProviderArn,
      ...(maxConcurrency !== undefined && { perExecutionEnvironmentMaxConcurrency: maxConcurrency }),
      ...(memoryGiBPerVcpu !== undefined && { executionEnvironmentMemoryGiBPerVCpu: memoryGiBPerVcpu }),
    },
  }
  // API Gateway invokes the function without a version, which is this one
  resource.publishToLatestPublished = true
  if (minEnvironments === undefined && maxEnvironments === undefined) return
  resource.functionScalingConfig = {
    ...(minEnvironments !== undefined && { minExecutionEnvironments: minEnvironments }),
    ...(maxEnvironments !== undefined && { maxExecutionEnvironments: maxEnvironments }),
  }
}
