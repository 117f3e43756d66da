import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssetHashType, DockerImage, type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { type IPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { bundleDirectory, bundleLambda, type LambdaSource } from './bundle-lambda.ts'
import type { AccessHolder, Conditions } from './construct-props.ts'
import {
  type AwsService,
  allowNetworkInterfaces,
  denyNetworkInterfacesToCode,
  networkOf,
  requireEndpoints,
} from './lambda-network.ts'
import { checkLambdaOptions, type LambdaOptions } from './lambda-options.ts'

/** The project's root in a checkout, `dist` in the published package. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * A function's code as an asset of the stack: the finished bundle that the published package holds; in a checkout one that
 * the esbuild of this project makes. No Docker.
 */
export const lambdaCode = (source: LambdaSource): Code => {
  const finished = bundleDirectory(ROOT, source)
  return existsSync(join(finished, 'index.mjs')) ? Code.fromAsset(finished) : bundledCode(source)
}

const bundledCode = (source: LambdaSource): Code =>
  Code.fromAsset(join(ROOT, dirname(source.entry)), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('not-used'),
      // Tells the bundles apart where the CDK looks for one it has made already.
      command: [source.entry],
      local: {
        tryBundle: (outputDir: string) => {
          bundleLambda(source, outputDir)
          return true
        },
      },
    },
  })

export interface ZaelFunctionProps {
  readonly description: string
  readonly source: LambdaSource
  readonly timeout: Duration
  readonly defaultMemoryMb: number
  readonly environment: Readonly<Record<string, string>>
  /** The services that the function calls, which it must reach from a VPC. Default: DynamoDB. */
  readonly services?: readonly AwsService[]
  /** What the stack's owner chose. */
  readonly options: LambdaOptions
}

/** A Lambda of zael: Node, with a role that may write the function's logs, and whatever else `allow` adds. */
export class ZaelFunction extends Construct implements AccessHolder {
  readonly fn: LambdaFunction
  private readonly role: Role

  /** Throws an error that names the invalid option. */
  constructor(scope: Construct, id: string, props: ZaelFunctionProps) {
    super(scope, id)
    const { options } = props
    checkLambdaOptions(options)
    const logGroup = new LogGroup(this, 'Logs', {
      retention: options.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(this.role)
    if (options.vpc !== undefined) allowNetworkInterfaces(this, this.role)
    this.fn = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: options.code ?? lambdaCode(props.source),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: options.architecture ?? Architecture.ARM_64,
      memorySize: options.memoryMb ?? props.defaultMemoryMb,
      timeout: props.timeout,
      role: this.role,
      logGroup,
      environment: { ...props.environment },
      ...concurrencyOf(options),
      ...networkOf(options),
    })
    if (options.vpc !== undefined) denyNetworkInterfacesToCode(this, this.role, this.fn)
    requireEndpoints(this, options, props.services ?? ['dynamodb'])
  }

  get grantPrincipal(): IPrincipal {
    return this.role
  }

  allow(actions: readonly string[], resources: readonly string[], conditions: Conditions = {}): void {
    this.role.addToPolicy(
      new PolicyStatement({ actions: [...actions], resources: [...resources], conditions }),
    )
  }
}

const concurrencyOf = ({ reservedConcurrency }: LambdaOptions) =>
  reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }
