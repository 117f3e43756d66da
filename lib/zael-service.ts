import { Duration, Token, Validations } from 'aws-cdk-lib'
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager'
import { GatewayVpcEndpointAwsService, type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import {
  Cluster,
  ContainerInsights,
  FargateService,
  type FargateTaskDefinition,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs'
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
  ListenerAction,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import { ALERT_SETTINGS } from './alert-access.ts'
import { checkEnvironment } from './construct-props.ts'
import { checkInteger } from './lambda-options.ts'
import {
  addTask,
  KEEP_ALIVE_MARGIN_SECONDS,
  PORT,
  type ServiceTask,
  type Times,
  timesOf,
} from './service-task.ts'

export interface ZaelServiceProps extends ServiceTask {
  /** The certificate of the load balancer, for HTTPS. Required unless it is `internal`: keys must not pass the internet in plain text. */
  readonly certificate?: ICertificate
  /** True: the load balancer is reachable within the VPC only. Default false. */
  readonly internal?: boolean
  /** Default: one of its own, in two availability zones, with a NAT gateway and an endpoint for DynamoDB. */
  readonly vpc?: IVpc
  /** Default: one of its own in `vpc`. */
  readonly cluster?: ICluster
  /** Tasks in service, by their use of processors. Default 2 to 10, for 60 percent. */
  readonly scaling?: ServiceScaling
  /** A bucket for the access logs of the load balancer. Default: none. */
  readonly accessLogs?: IBucket
  /** Your regional web ACL in front of the load balancer. */
  readonly webAclArn?: string
}

export interface ServiceScaling {
  readonly minTasks?: number
  readonly maxTasks?: number
  readonly cpuPercent?: number
}

/** Settings that the construct or its image determines, or that need an engine. */
const REJECTED_SETTINGS = [
  ALERT_SETTINGS,
  { names: ['HOST', 'PORT'], instead: 'the load balancer forwards to the port of the image' },
  { names: ['DATA_DIR', 'DYNAMODB_PORT'], instead: 'a service has no DynamoDB of its own' },
  { names: ['ADMIN_TOKEN', 'VIEWER_TOKEN'], instead: 'use adminToken and viewerToken' },
  { names: ['STOP_GRACE_SECONDS'], instead: 'use drainTimeout' },
  { names: ['KEEP_ALIVE_SECONDS'], instead: 'use idleTimeout' },
  {
    names: ['UPSTREAM_ALLOWED_SECRET_ARNS'],
    instead: 'list the secrets in upstreamSecrets, which also allows to read them',
  },
]

/**
 * The HTTP API as a service: Fargate tasks behind an Application Load Balancer, for loads at which Lambda costs more
 * (docs/scaling.md). Its processes see many requests, so leases are on.
 *
 * @example
 * const limits = new ZaelTable(this, 'Limits')
 * const tokens = new ZaelTokens(this, 'Tokens', { label: 'limits' })
 * new ZaelService(this, 'Service', { table: limits, adminToken: tokens.admin, viewerToken: tokens.viewer, certificate })
 */
export class ZaelService extends Construct {
  readonly cluster: ICluster
  readonly service: FargateService
  readonly taskDefinition: FargateTaskDefinition
  readonly targetGroup: ApplicationTargetGroup
  /** The target of a record in DNS. */
  readonly loadBalancer: ApplicationLoadBalancer

  /** Throws an error that names the invalid property. */
  constructor(scope: Construct, id: string, props: ZaelServiceProps) {
    super(scope, id)
    checkProps(props)
    const times = timesOf(props)
    this.cluster = props.cluster ?? this.addCluster(props.vpc ?? this.addVpc())
    this.taskDefinition = addTask(this, props, times)
    this.service = this.addService(props)
    this.loadBalancer = this.addLoadBalancer(props, times)
    this.targetGroup = this.addListener(props, times)
    this.scale(props.scaling)
    this.acknowledgeRules(props)
  }

  private addVpc(): IVpc {
    const vpc = new Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 1 })
    vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB })
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Flow logs have a cost per connection. A network with them is a choice of the operator: see vpc.',
    })
    // the class has `string | undefined` where its interface has an optional string
    return vpc as IVpc
  }

  private addCluster(vpc: IVpc): ICluster {
    // as above
    return new Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    }) as ICluster
  }

  private addService({ scaling }: ZaelServiceProps): FargateService {
    return new FargateService(this, 'Service', {
      cluster: this.cluster,
      taskDefinition: this.taskDefinition,
      desiredCount: scaling?.minTasks ?? MIN_TASKS,
      // a deployment never has fewer tasks than before
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: Duration.minutes(1),
    })
  }

  private addLoadBalancer(props: ZaelServiceProps, { idleSeconds }: Times): ApplicationLoadBalancer {
    const loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: this.cluster.vpc,
      internetFacing: props.internal !== true,
      idleTimeout: Duration.seconds(idleSeconds),
      dropInvalidHeaderFields: true,
    })
    if (props.accessLogs !== undefined) loadBalancer.logAccessLogs(props.accessLogs)
    if (props.webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: loadBalancer.loadBalancerArn,
        webAclArn: props.webAclArn,
      })
    }
    return loadBalancer
  }

  /** A health check asks the process only, not the table: a table that is away must not end all tasks. */
  private addListener({ certificate }: ZaelServiceProps, { drainSeconds }: Times): ApplicationTargetGroup {
    const listener = this.loadBalancer.addListener('Listener', {
      ...(certificate === undefined
        ? { port: 80, protocol: ApplicationProtocol.HTTP }
        : { port: 443, protocol: ApplicationProtocol.HTTPS, certificates: [certificate] }),
    })
    if (certificate !== undefined) {
      this.loadBalancer.addListener('Redirect', {
        port: 80,
        protocol: ApplicationProtocol.HTTP,
        defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true }),
      })
    }
    return listener.addTargets('Tasks', {
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targets: [this.service],
      deregistrationDelay: Duration.seconds(drainSeconds),
      healthCheck: {
        path: '/health',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    })
  }

  private scale({ minTasks = MIN_TASKS, maxTasks = MAX_TASKS, cpuPercent = 60 }: ServiceScaling = {}): void {
    const scaling = this.service.autoScaleTaskCount({ minCapacity: minTasks, maxCapacity: maxTasks })
    scaling.scaleOnCpuUtilization('Cpu', {
      targetUtilizationPercent: cpuPercent,
      scaleOutCooldown: Duration.minutes(1),
      scaleInCooldown: Duration.minutes(5),
    })
  }

  private acknowledgeRules({ accessLogs }: ZaelServiceProps): void {
    Validations.of(this.taskDefinition).acknowledge(
      {
        id: 'AwsSolutions-ECS2',
        reason:
          'The variables are settings. Secrets are named by their ARNs, and read with the role of the task.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'ECS pulls the image: ecr:GetAuthorizationToken knows no narrower resource.',
      },
    )
    Validations.of(this.loadBalancer).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'Callers are anywhere that reaches the load balancer; the service checks keys and tokens.',
    })
    if (accessLogs === undefined) {
      Validations.of(this.loadBalancer).acknowledge({
        id: 'AwsSolutions-ELB2',
        reason:
          'Access logs have a cost and need a bucket, which is a choice of the operator: see accessLogs.',
      })
    }
  }
}

const MIN_TASKS = 2

const MAX_TASKS = 10

const checkProps = (props: ZaelServiceProps): void => {
  const { certificate, internal, vpc, cluster, scaling = {} } = props
  checkEnvironment(props.environment, REJECTED_SETTINGS)
  if (certificate === undefined && internal !== true) {
    throw new Error(
      'certificate is required for a load balancer on the internet; without one, set internal: true',
    )
  }
  if (vpc !== undefined && cluster !== undefined) {
    throw new Error('vpc must not be set beside cluster, which has a VPC')
  }
  const { minTasks = MIN_TASKS, maxTasks = MAX_TASKS } = scaling
  checkInteger('scaling.minTasks', minTasks, { least: 1 })
  checkInteger('scaling.maxTasks', maxTasks, { least: 1 })
  if (!Token.isUnresolved(minTasks) && !Token.isUnresolved(maxTasks) && minTasks > maxTasks) {
    throw new Error(`scaling.minTasks must not exceed scaling.maxTasks, which is ${maxTasks}`)
  }
  checkInteger('scaling.cpuPercent', scaling.cpuPercent, { least: 1, most: 100 })
  checkInteger('drainTimeout, in seconds,', props.drainTimeout?.toSeconds(), { least: 1, most: 3600 })
  checkInteger('idleTimeout, in seconds,', props.idleTimeout?.toSeconds(), {
    least: 1,
    most: 3600 - KEEP_ALIVE_MARGIN_SECONDS,
  })
}
