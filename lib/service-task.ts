import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'
import {
  AwsLogDriverMode,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  type HealthCheck,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import { type IPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { type ApiAccess, apiEnvironment, grantApi } from './api-access.ts'
import type { AccessHolder, Conditions } from './construct-props.ts'

export interface ServiceTask extends ApiAccess {
  /** Default: built by Docker from this package, at deployment. */
  readonly image?: ContainerImage
  /** Default arm64, which costs less. An `image` must be built for it. */
  readonly architecture?: CpuArchitecture
  /** Of each task, in units of 1024 per processor. A task runs a worker on each processor. Default 1024. */
  readonly cpu?: number
  /** Of each task. Default 2048. */
  readonly memoryMb?: number
  /** How long requests in progress, streams included, may take to finish when a task stops. Default 2 minutes, at most an hour. */
  readonly drainTimeout?: Duration
  /** How long a connection may be silent: a model that does not stream is silent until its response. Default 15 minutes. */
  readonly idleTimeout?: Duration
  /** Further settings of zael (`docs/settings.md`), such as LEASE_TTL_MS; mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
  /** How long logs are kept. Default one month. */
  readonly logRetention?: RetentionDays
}

/** The port of the image. */
export const PORT = 8080

/** The user of the image. */
const USER = '65532'

/** Fargate kills a task no later than this after SIGTERM. */
const LONGEST_STOP_SECONDS = 120

/** What the process needs after its requests have ended: it writes counts and refunds leases. */
const FLUSH_SECONDS = 5

/** A connection must outlive the load balancer's own timeout, else a request may arrive while it is being closed. */
export const KEEP_ALIVE_MARGIN_SECONDS = 5

/** Spends tokens that were charged ahead; stated in the template, because it is what a service is for. */
const LEASE_TTL_MS = '1000'

export interface Times {
  /** How long the load balancer waits for requests to a task that stops. ECS sends SIGTERM afterwards. */
  readonly drainSeconds: number
  /** How long the process waits for requests after SIGTERM. */
  readonly stopGraceSeconds: number
  readonly idleSeconds: number
}

export const timesOf = ({ drainTimeout, idleTimeout }: ServiceTask): Times => {
  const drainSeconds = (drainTimeout ?? Duration.minutes(2)).toSeconds()
  return {
    drainSeconds,
    stopGraceSeconds: Math.min(drainSeconds, LONGEST_STOP_SECONDS - FLUSH_SECONDS),
    idleSeconds: (idleTimeout ?? Duration.minutes(15)).toSeconds(),
  }
}

/** The task: one container, with the permissions of the API. */
export const addTask = (scope: Construct, props: ServiceTask, times: Times): FargateTaskDefinition => {
  const { cpu = DEFAULT_CPU, memoryMb = 2048, architecture = CpuArchitecture.ARM64 } = props
  const access = new TaskAccess(scope, 'Task')
  grantApi(access, props)
  const task = new FargateTaskDefinition(scope, 'TaskDefinition', {
    cpu,
    memoryLimitMiB: memoryMb,
    taskRole: access.role,
    runtimePlatform: { cpuArchitecture: architecture, operatingSystemFamily: OperatingSystemFamily.LINUX },
  })
  const logGroup = new LogGroup(scope, 'Logs', {
    retention: props.logRetention ?? RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  task.addContainer('zael', {
    image: props.image ?? imageOfPackage(architecture),
    command: ['service.mjs', '--workers', String(Math.max(1, Math.floor(cpu / 1024)))],
    environment: settingsOf(props, times),
    portMappings: [{ containerPort: PORT }],
    user: USER,
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(times.stopGraceSeconds + FLUSH_SECONDS),
    healthCheck: HEALTH_CHECK,
    // a slow CloudWatch must not stop decisions
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'zael', mode: AwsLogDriverMode.NON_BLOCKING }),
  })
  return task
}

const DEFAULT_CPU = 1024

/** ECS does not use the health check of an image. */
const HEALTH_CHECK: HealthCheck = {
  command: ['CMD', '/nodejs/bin/node', 'health.mjs'],
  interval: Duration.seconds(15),
  timeout: Duration.seconds(5),
  startPeriod: Duration.seconds(60),
}

const settingsOf = (props: ServiceTask, times: Times): Record<string, string> => ({
  LEASE_TTL_MS,
  // the load balancer
  TRUSTED_PROXIES: '1',
  ...props.environment,
  ...apiEnvironment(props),
  HOST: '0.0.0.0',
  PORT: String(PORT),
  STOP_GRACE_SECONDS: String(times.stopGraceSeconds),
  KEEP_ALIVE_SECONDS: String(times.idleSeconds + KEEP_ALIVE_MARGIN_SECONDS),
})

/** The role of the tasks. */
class TaskAccess extends Construct implements AccessHolder {
  readonly role: Role

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') })
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

/** The project's root in a checkout, `dist` in the published package. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The published package contains the finished service and a Dockerfile that copies it; a checkout's Dockerfile builds it. */
const imageOfPackage = (architecture: CpuArchitecture): ContainerImage => {
  const finished = join(ROOT, 'service')
  const directory = existsSync(join(finished, 'service.mjs')) ? finished : ROOT
  const platform = architecture === CpuArchitecture.ARM64 ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64
  return ContainerImage.fromAsset(directory, { platform })
}
