import { CfnOutput, Stack, type StackProps, Tags, Token } from 'aws-cdk-lib'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { AlertAccess } from './alert-access.ts'
import type { Flavour } from './construct-props.ts'
import type { LambdaOptions } from './lambda-options.ts'
import { ZaelAggregator, type ZaelAggregatorProps } from './zael-aggregator.ts'
import { ZaelAlarms } from './zael-alarms.ts'
import { ZaelApi, type ZaelApiProps } from './zael-api.ts'
import { ZaelTable, type ZaelTableProps } from './zael-table.ts'
import { ZaelTokens, type ZaelTokensProps } from './zael-tokens.ts'

export interface ZaelStackProps extends StackProps {
  /** Names this deployment: the table is `ZAEL-<name>`. Letters, digits, hyphens. */
  readonly name: string
  /** Default `aws`. */
  readonly flavour?: Flavour
  /** For emulators only: fixed tokens instead of made ones. */
  readonly plainTextTokens?: NonNullable<ZaelTokensProps['plainText']>
  /** For emulators only: where theirs is, such as `http://localhost:4566`; the API's URL begins with it. */
  readonly endpoint?: string
  /** Told of alarms. */
  readonly alarmTopic?: ITopic
  /** Settings, bounds and upstreams of the API. */
  readonly api?: Omit<
    ZaelApiProps,
    'table' | 'adminToken' | 'viewerToken' | 'flavour' | 'apiName' | keyof AlertAccess
  >
  /** Settings of the aggregator. */
  readonly aggregator?: LambdaOptions & Pick<ZaelAggregatorProps, 'environment'>
  /** What happens to the table when the stack is deleted, and its key. */
  readonly table?: Pick<ZaelTableProps, 'removalPolicy' | 'encryptionKey'>
  /** The receivers that alerts may have. */
  readonly alerts?: AlertAccess
}

/**
 * One zael: table, API, aggregator, alarms. A stack of your own can take the constructs one by one instead:
 *
 * @example
 * const table = new ZaelTable(this, 'Limits')
 * const tokens = new ZaelTokens(this, 'Tokens', { label: 'limits' })
 * new ZaelApi(this, 'LimitsApi', { table, adminToken: tokens.admin, viewerToken: tokens.viewer })
 */
export class ZaelStack extends Stack {
  readonly table: ZaelTable
  readonly api: ZaelApi
  readonly aggregator: ZaelAggregator

  constructor(scope: Construct, id: string, props: ZaelStackProps) {
    super(scope, id, { description: 'zael: rate limits for LLM and HTTP APIs', ...props })
    checkName(props.name)
    const flavour = props.flavour ?? 'aws'
    const table = new ZaelTable(this, 'Table', { ...props.table, tableName: `ZAEL-${props.name}`, flavour })
    const tokens = new ZaelTokens(this, 'Tokens', {
      label: `zael ${props.name}`,
      ...(props.plainTextTokens === undefined ? {} : { plainText: props.plainTextTokens }),
    })
    const api = new ZaelApi(this, 'Api', {
      ...props.api,
      ...props.alerts,
      table,
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      flavour,
      apiName: `zael-${props.name}`,
    })
    const aggregator = new ZaelAggregator(this, 'Aggregator', {
      ...props.aggregator,
      ...props.alerts,
      table,
      streamArn: table.streamArn,
      flavour,
    })
    new ZaelAlarms(this, 'Alarms', {
      api,
      aggregator,
      table,
      ...(props.alarmTopic === undefined ? {} : { topic: props.alarmTopic }),
    })
    Tags.of(this).add('application', 'zael')
    this.table = table
    this.api = api
    this.aggregator = aggregator
    this.outputs(tokens, props.endpoint === undefined ? api.url : emulatorUrl(props.endpoint, api))
  }

  private outputs(tokens: ZaelTokens, url: string): void {
    this.output('ApiUrl', url, 'The URL of the API')
    this.output('DashboardUrl', `${url}dashboard`, 'The URL of the dashboard')
    const target = this.api.domain?.domainNameAliasDomainName
    if (target !== undefined)
      this.output('DomainTarget', target, 'The target of the record of the domain in DNS')
    this.output('TableName', this.table.tableName, 'The table')
    this.output('AdminTokenSecretArn', tokens.admin.secretArn, 'The admin token')
    this.output('ViewerTokenSecretArn', tokens.viewer.secretArn, 'The viewer token')
    this.output('AggregatorFunctionName', this.aggregator.fn.functionName, 'The Lambda that counts usage')
    this.output(
      'DeadLetterQueueUrl',
      this.aggregator.deadLetters.queueUrl,
      'Batches of records that the aggregator could not process',
    )
  }

  private output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description })
  }
}

const checkName = (name: string): void => {
  if (Token.isUnresolved(name) || /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(name)) return
  throw new Error(`name must be letters, digits and hyphens, 64 at most: ${name}`)
}

/** Emulators respond for every API below one address. LocalStack and MiniStack share this form. */
const emulatorUrl = (endpoint: string, { api }: ZaelApi): string =>
  `${endpoint.replace(/\/$/, '')}/_aws/execute-api/${api.restApiId}/${api.deploymentStage.stageName}/`
