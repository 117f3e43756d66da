import { Duration, Names, RemovalPolicy, Token, Validations } from 'aws-cdk-lib'
import {
  AccessLogFormat,
  CfnDeployment,
  EndpointType,
  type IDomainName,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import { ALERT_SETTINGS } from './alert-access.ts'
import { type ApiAccess, apiEnvironment, grantApi } from './api-access.ts'
import { type ApiDomain, checkDomain, domainUrl, mapDomain } from './api-domain.ts'
import { type ApiAuthorization, addRoutes, checkAuthorization } from './api-routes.ts'
import { API_SOURCE } from './bundle-lambda.ts'
import { checkEnvironment, type Flavour, storeDeadlineMs } from './construct-props.ts'
import { checkInteger, type LambdaOptions } from './lambda-options.ts'
import {
  checkManagedInstances,
  LEAST_MANAGED_MB,
  type ManagedInstances,
  runOnManagedInstances,
} from './managed-instances.ts'
import { ZaelFunction } from './zael-function.ts'

export interface ZaelApiProps extends ApiAccess, ApiAuthorization, LambdaOptions {
  /** Default `aws`: with logs and streamed responses. */
  readonly flavour?: Flavour
  /** Default: the path of this construct. */
  readonly apiName?: string
  /** What the whole API accepts before API Gateway throttles: a bound on cost, not a limit of any caller. Default 1000 per second, bursts of 2000. */
  readonly throttle?: { readonly requestsPerSecond: number; readonly burst: number }
  /** The longest response. Default: the maximum, which is 15 minutes if responses are streamed, else 29 seconds (API Gateway). */
  readonly timeout?: Duration
  /** Further settings of zael (`docs/settings.md`), such as DEFAULT_RPM_LIMIT; mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
  /** Your regional web ACL in front of the API. */
  readonly webAclArn?: string
  /** Runs the function on Lambda Managed Instances, where many requests share an environment and its leases. Default: on Lambda's own. */
  readonly managedInstances?: ManagedInstances
  /** Your domain, or a base path of it, for the API. Default: the URL that AWS gives to it. */
  readonly domain?: ApiDomain
  /**
   * Sets the role by which API Gateway writes logs. The account has one per region, for all of its APIs. False: another stack
   * sets it, and must have done so before this one is deployed. Default: true with the flavour `aws`.
   */
  readonly cloudWatchRole?: boolean
}

/** Settings that the Lambda rejects. */
const REJECTED_SETTINGS = [
  ALERT_SETTINGS,
  { names: ['API_KEYS_FILE', 'API_KEYS_JSON'], instead: 'make keys by POST /api/entities/{id}/keys' },
  {
    names: ['UPSTREAM_ALLOWED_SECRET_ARNS'],
    instead: 'list the secrets in upstreamSecrets, which also allows to read them',
  },
  {
    names: ['UPSTREAMS_FILE'],
    instead: 'add upstreams by PUT /api/upstreams/{name} and models by PUT /api/models/{id}',
  },
]

const checkProps = (props: ZaelApiProps): void => {
  checkEnvironment(props.environment, REJECTED_SETTINGS)
  checkAuthorization(props)
  if (props.managedInstances !== undefined) checkManagedInstances(props.managedInstances, props)
  if (props.domain !== undefined) checkDomain(props.domain)
  const { throttle, timeout, webAclArn } = props
  if (timeout !== undefined && !timeout.isUnresolved()) {
    checkInteger('timeout, in seconds,', timeout.toSeconds({ integral: false }), { least: 1, most: 900 })
  }
  checkInteger('throttle.requestsPerSecond', throttle?.requestsPerSecond, { least: 1 })
  checkInteger('throttle.burst', throttle?.burst, { least: 1 })
  if (webAclArn !== undefined && !Token.isUnresolved(webAclArn) && !REGIONAL_ACL.test(webAclArn)) {
    throw new Error(`webAclArn must be the ARN of a regional web ACL: ${webAclArn}`)
  }
}

const REGIONAL_ACL = /^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional\/webacl\//

const STAGE = 'prod'

/** The HTTP API: a regional REST API that passes every request to one Lambda. */
export class ZaelApi extends Construct {
  readonly api: RestApi
  readonly fn: LambdaFunction
  /** The domain that serves the API, if it has one: the target of a record in DNS. */
  readonly domain: IDomainName | undefined
  /** The API's URL, which ends in a slash. */
  readonly url: string

  /** Throws an error that names the invalid property. */
  constructor(scope: Construct, id: string, props: ZaelApiProps) {
    super(scope, id)
    checkProps(props)
    const streams = props.flavour !== 'local'
    const timeout = props.timeout ?? (streams ? Duration.minutes(15) : Duration.seconds(29))
    this.fn = this.addFunction(props, timeout, streams)
    this.api = this.addApi(props, timeout, streams)
    addRoutes(this.api, props, props.environment?.CORS_ORIGINS !== undefined)
    this.domain = props.domain && mapDomain(this, props.domain, this.api)
    this.url = props.domain && this.domain ? domainUrl(props.domain, this.domain) : this.api.url
    if (streams) this.keepExecutionLogs()
    else this.keepDeployment()
    this.guard(props)
  }

  private addApi(props: ZaelApiProps, timeout: Duration, streams: boolean): RestApi {
    // An emulator does not need the account's role for logs and may not support it.
    const cloudWatchRole = props.cloudWatchRole ?? streams
    const api = new RestApi(this, 'Api', {
      restApiName: props.apiName ?? this.node.path,
      description: 'zael: rate limits for LLM and HTTP APIs',
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole,
      ...(cloudWatchRole ? { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN } : {}),
      ...(props.domain?.disableExecuteApiEndpoint ? { disableExecuteApiEndpoint: true } : {}),
      // Images of the docs pages are sent as base64 if the API does not stream. LocalStack does not support */*.
      ...(streams ? {} : { binaryMediaTypes: ['*/*', 'image/*'] }),
      defaultIntegration: integration(this.fn, timeout, streams),
      deployOptions: this.stageOptions(props, streams),
    })
    // The construct's own output, which is wrong on an emulator.
    api.node.tryRemoveChild('Endpoint')
    return api
  }

  private addFunction(props: ZaelApiProps, timeout: Duration, streams: boolean): LambdaFunction {
    const { managedInstances } = props
    const zaelFunction = new ZaelFunction(this, 'Handler', {
      description: 'zael: the HTTP API',
      source: API_SOURCE,
      timeout,
      defaultMemoryMb: managedInstances === undefined ? 512 : LEAST_MANAGED_MB,
      services: ['dynamodb', 'secretsmanager'],
      options: props,
      environment: {
        STORE_DEADLINE_MS: storeDeadlineMs(props.flavour),
        ...props.environment,
        ...apiEnvironment(props),
        RESPONSE_STREAMING: String(streams),
        POWERTOOLS_SERVICE_NAME: 'zael-api',
        ...(managedInstances !== undefined && { MANAGED_INSTANCES: 'true' }),
      },
    })
    if (managedInstances !== undefined) runOnManagedInstances(zaelFunction.fn, managedInstances)
    grantApi(zaelFunction, props)
    return zaelFunction.fn
  }

  private stageOptions(props: ZaelApiProps, logged: boolean): StageOptions {
    const throttle = props.throttle ?? { requestsPerSecond: 1000, burst: 2000 }
    const common = {
      stageName: STAGE,
      throttlingRateLimit: throttle.requestsPerSecond,
      throttlingBurstLimit: throttle.burst,
    }
    if (!logged) return common
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    return {
      ...common,
      accessLogDestination: new LogGroupLogDestination(accessLogs),
      accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
      loggingLevel: MethodLoggingLevel.ERROR,
      // Never whole requests: they contain keys.
      dataTraceEnabled: false,
    }
  }

  /** Otherwise API Gateway creates this log group and keeps it without a time limit. */
  private keepExecutionLogs(): void {
    const logs = new LogGroup(this, 'ExecutionLogs', {
      logGroupName: `API-Gateway-Execution-Logs_${this.api.restApiId}/${STAGE}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.api.deploymentStage.node.addDependency(logs)
  }

  /**
   * The CDK creates a new deployment whenever the API's definition changes, to which LocalStack cannot update its stage:
   * "Stage already exists". On an emulator the deployment remains, and `deploy:local` applies the definition to the stage.
   */
  private keepDeployment(): void {
    const deployment = this.api.latestDeployment?.node.defaultChild
    if (deployment instanceof CfnDeployment) deployment.overrideLogicalId(Names.uniqueId(deployment))
  }

  private guard(props: ZaelApiProps): void {
    if (props.webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: this.api.deploymentStage.stageArn,
        webAclArn: props.webAclArn,
      })
    } else {
      Validations.of(this.api).acknowledge({
        id: 'AwsSolutions-APIG3',
        reason: 'A web ACL has a monthly cost, and deploying one is a choice of the operator: see webAclArn.',
      })
    }
    Validations.of(this.api).acknowledge(
      {
        id: 'AwsSolutions-APIG2',
        reason: 'The Lambda checks every request against its schemas and names the field at fault.',
      },
      {
        id: 'AwsSolutions-APIG4',
        reason: 'The Lambda checks keys and tokens: keys are what it limits, and the docs are open.',
      },
      { id: 'AwsSolutions-COG4', reason: 'Callers have API keys of zael, not users of a Cognito pool.' },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason: "API Gateway writes logs by the account's role, which takes this managed policy.",
      },
    )
  }
}

const integration = (fn: LambdaFunction, timeout: Duration, streams: boolean): LambdaIntegration =>
  new LambdaIntegration(fn, {
    proxy: true,
    allowTestInvoke: false,
    ...(streams ? { timeout, responseTransferMode: ResponseTransferMode.STREAM } : {}),
  })
