import { Duration, Names, RemovalPolicy, Validations } from 'aws-cdk-lib'
import {
  AccessLogFormat,
  CfnDeployment,
  EndpointType,
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
import { API_SOURCE } from './bundle-lambda.ts'
import { checkEnvironment, type Flavour, grantKey, type SecretRef, type TableRef } from './construct-props.ts'
import { ZaelFunction } from './zael-function.ts'
import { LISTING_INDEX } from './zael-table.ts'

export interface ZaelApiProps {
  readonly table: TableRef
  /** Opens everything. */
  readonly adminToken: SecretRef
  /** Opens what only reads. */
  readonly viewerToken: SecretRef
  /** Default `aws`: logs, answers that stream. */
  readonly flavour?: Flavour
  /** Default: the path of this construct. */
  readonly apiName?: string
  /** What the whole API takes before API Gateway refuses: a bound on cost, not a limit on any caller. Default 1000 a second, bursts of 2000. */
  readonly throttle?: { readonly requestsPerSecond: number; readonly burst: number }
  /** More CPU comes with more memory. Default 512. */
  readonly memoryMb?: number
  /** The longest answer. Default 5 minutes where answers stream, else 29 seconds, the most that API Gateway waits. */
  readonly timeout?: Duration
  /** Further settings of zael's (`docs/settings.md`), such as DEFAULT_RPM_LIMIT; mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
  /** A regional web ACL of yours that stands before the API. */
  readonly webAclArn?: string
}

/** What the code does on the table; there is no Scan among it. */
const TABLE_ACTIONS = [
  'dynamodb:BatchGetItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
]

/** Settings that the Lambda refuses. */
const NO_KEYS_OF_A_FILE = {
  names: ['API_KEYS_FILE', 'API_KEYS_JSON'],
  instead: 'make keys by POST /api/entities/{id}/keys',
}

const STAGE = 'prod'

/**
 * The first call of a Lambda opens a connection, on a share of a CPU. LocalStack writes one item after the other where a table
 * has a stream.
 */
const DEADLINE_MS = { aws: '1000', emulator: '10000' } as const

/** The HTTP API: a regional REST API that hands every request to one Lambda. */
export class ZaelApi extends Construct {
  readonly api: RestApi
  readonly fn: LambdaFunction

  constructor(scope: Construct, id: string, props: ZaelApiProps) {
    super(scope, id)
    checkEnvironment(props.environment, NO_KEYS_OF_A_FILE)
    const streams = props.flavour !== 'local'
    const timeout = props.timeout ?? (streams ? Duration.minutes(5) : Duration.seconds(29))
    this.fn = this.addFunction(props, timeout, streams)
    this.api = new RestApi(this, 'Api', {
      restApiName: props.apiName ?? this.node.path,
      description: 'zael: rate limits for LLM and HTTP APIs',
      endpointTypes: [EndpointType.REGIONAL],
      // An emulator does not need the account's role for logs, and may not know it.
      cloudWatchRole: streams,
      ...(streams ? { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN } : {}),
      // Pictures of the docs pages travel as base64 where the API does not stream. LocalStack does not know */*.
      ...(streams ? {} : { binaryMediaTypes: ['*/*', 'image/*'] }),
      defaultIntegration: integration(this.fn, timeout, streams),
      deployOptions: this.stageOptions(props, streams),
    })
    this.api.root.addProxy()
    // An output of its own, which on an emulator would be wrong.
    this.api.node.tryRemoveChild('Endpoint')
    if (streams) this.keepExecutionLogs()
    else this.keepDeployment()
    this.guard(props)
  }

  /** Where the API answers, ending in a slash. */
  get url(): string {
    return this.api.url
  }

  private addFunction(props: ZaelApiProps, timeout: Duration, streams: boolean): LambdaFunction {
    const { table, adminToken, viewerToken } = props
    const zaelFunction = new ZaelFunction(this, 'Handler', {
      description: 'zael: the HTTP API',
      source: API_SOURCE,
      timeout,
      memoryMb: props.memoryMb ?? 512,
      environment: {
        STORE_DEADLINE_MS: streams ? DEADLINE_MS.aws : DEADLINE_MS.emulator,
        ...props.environment,
        TABLE_NAME: table.tableName,
        ADMIN_TOKEN_SECRET_ARN: adminToken.secretArn,
        VIEWER_TOKEN_SECRET_ARN: viewerToken.secretArn,
        RESPONSE_STREAMING: String(streams),
        POWERTOOLS_SERVICE_NAME: 'zael-api',
      },
    })
    zaelFunction.allow(TABLE_ACTIONS, [table.tableArn])
    zaelFunction.allow(['dynamodb:Query'], [`${table.tableArn}/index/${LISTING_INDEX}`])
    zaelFunction.allow(['secretsmanager:GetSecretValue'], [adminToken.secretArn, viewerToken.secretArn])
    for (const guarded of [table, adminToken, viewerToken]) grantKey(guarded.encryptionKey, zaelFunction.fn)
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
      // Never whole requests: they hold keys.
      dataTraceEnabled: false,
    }
  }

  /** API Gateway would make this log group by itself and keep it for ever. */
  private keepExecutionLogs(): void {
    const logs = new LogGroup(this, 'ExecutionLogs', {
      logGroupName: `API-Gateway-Execution-Logs_${this.api.restApiId}/${STAGE}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.api.deploymentStage.node.addDependency(logs)
  }

  /**
   * The CDK makes a new deployment whenever the API's definition changes, which LocalStack cannot update its stage to:
   * "Stage already exists". On an emulator the deployment stays, and `deploy:local` puts the definition onto the stage.
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
        reason: 'A web ACL costs by the month and is the choice of whoever deploys: see webAclArn.',
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
