import { Duration } from 'aws-cdk-lib'
import { CfnAuthorizer, RequestAuthorizer, type RestApiBase } from 'aws-cdk-lib/aws-apigateway'
import { Grant } from 'aws-cdk-lib/aws-iam'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { SETTLING_TABLE } from '../src/contract/authorizer.ts'
import type { Cost } from '../src/core/model/meter.ts'
import {
  AUTHORIZER_OPTIONS,
  type AuthorizerOptions,
  authorizerOptionFaults,
} from '../src/settings/authorizer-options.ts'
import { AUTHORIZER_SOURCE } from './bundle-lambda.ts'
import { checkEnvironment, type Flavour, storeDeadlineMs } from './construct-props.ts'
import { type GatewayResponsesOptions, gatewayResponses } from './gateway-responses.ts'
import type { LambdaOptions } from './lambda-options.ts'
import { CHARGED, grantKey, inPartitions, type TableRef } from './table-access.ts'
import { ZaelFunction } from './zael-function.ts'

export interface ZaelAuthorizerProps extends LambdaOptions {
  /** The table of a deployed zael, whose keys, entities, limits and policies apply. */
  readonly table: TableRef
  /** The cost of a request. Default `{ requests: 1 }`. */
  readonly cost?: Cost
  /** The costs of single routes, in place of `cost`, by method and path of the resource: `'POST /orders/{id}'`, `'ANY /reports'`. */
  readonly routeCosts?: Readonly<Record<string, Cost>>
  /** The resource whose limits apply, such as a model. Default: the bucket `_default_` itself. */
  readonly resource?: string
  /** True: the function behind the authorizer settles each request to its actual cost; see `grantSettle`. Default false. */
  readonly settles?: boolean
  /** How long such a reservation stays open, at most an hour. Default 10 minutes. */
  readonly expiresIn?: Duration
  /** Further settings of zael, such as ON_UNAVAILABLE and the defaults of its API (DEFAULT_RPM_LIMIT); mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default `aws`. `local`: an emulator. */
  readonly flavour?: Flavour
}

const REJECTED_SETTINGS = [
  { names: [AUTHORIZER_OPTIONS], instead: 'use cost, routeCosts, resource, settles and expiresIn' },
]

/** Single items: the authorizer lists nothing. */
const READ_ACTIONS = ['dynamodb:BatchGetItem', 'dynamodb:GetItem']

const RESERVATIONS = 'RESERVATION#*'

/** No item has it: it is read for the time of the response, to compare clocks. */
const CLOCK = 'CLOCK'

/** API Gateway does not wait longer than 29 s. */
const TIMEOUT = Duration.seconds(10)

/**
 * A Lambda authorizer for methods of a REST API, which identifies callers by their API keys of zael and charges each request. Its
 * responses are never cached: every request is charged.
 *
 * @example
 * const limits = new ZaelAuthorizer(this, 'Limits', { table: ZaelTable.fromTableName(this, 'Table', 'ZAEL-prod') })
 * const api = new RestApi(this, 'Api', { defaultMethodOptions: { authorizer: limits.authorizer } })
 * limits.addGatewayResponses(api)
 */
export class ZaelAuthorizer extends Construct {
  /** The `authorizer` of methods, of one API. */
  readonly authorizer: RequestAuthorizer
  readonly fn: LambdaFunction
  private readonly table: TableRef
  private readonly settles: boolean

  /** Throws an error that names the invalid property. */
  constructor(scope: Construct, id: string, props: ZaelAuthorizerProps) {
    super(scope, id)
    checkEnvironment(props.environment, REJECTED_SETTINGS)
    this.table = props.table
    this.settles = props.settles ?? false
    this.fn = this.addFunction(props)
    this.authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: this.fn,
      resultsCacheTtl: Duration.seconds(0),
      // A request without an identity source would not reach the function; keys arrive in one of three headers.
      identitySources: [],
    })
    const { defaultChild } = this.authorizer.node
    // The CDK writes an empty text for none.
    if (defaultChild instanceof CfnAuthorizer) defaultChild.identitySource = undefined
  }

  /** Responds to rejected requests with 429, 401 and 503 in JSON. Without them, API Gateway responds with 403, 401 and 500. */
  addGatewayResponses(api: RestApiBase, options: GatewayResponsesOptions = {}): void {
    for (const response of gatewayResponses(options))
      api.addGatewayResponse(response.type.responseType, response)
  }

  /**
   * Lets a function behind the authorizer settle requests with `settleFromContext` of `zael/lambda`, and sets the variable by which
   * it finds the table. Throws unless `settles` is true.
   */
  grantSettle(fn: LambdaFunction): Grant {
    if (!this.settles) throw new Error('grantSettle requires settles: true: else there is nothing to settle')
    fn.addEnvironment(SETTLING_TABLE, this.table.tableName)
    grantKey(this.table.encryptionKey, fn)
    const allow = (action: string, patterns: readonly string[]): Grant =>
      Grant.addToPrincipal({
        grantee: fn,
        actions: [action],
        resourceArns: [this.table.tableArn],
        conditions: inPartitions(...patterns),
      })
    const written = [...CHARGED, RESERVATIONS]
    return allow('dynamodb:UpdateItem', written).combine(allow('dynamodb:GetItem', [...written, CLOCK]))
  }

  private addFunction(props: ZaelAuthorizerProps): LambdaFunction {
    const { table, environment, flavour, settles } = props
    const zaelFunction = new ZaelFunction(this, 'Handler', {
      description: 'zael: authorizes and charges requests to a REST API',
      source: AUTHORIZER_SOURCE,
      timeout: TIMEOUT,
      defaultMemoryMb: 512,
      options: props,
      environment: {
        STORE_DEADLINE_MS: storeDeadlineMs(flavour),
        ...environment,
        TABLE_NAME: table.tableName,
        [AUTHORIZER_OPTIONS]: JSON.stringify(optionsOf(props)),
        POWERTOOLS_SERVICE_NAME: 'zael-authorizer',
      },
    })
    zaelFunction.allow(READ_ACTIONS, [table.tableArn])
    zaelFunction.allow(['dynamodb:UpdateItem'], [table.tableArn], inPartitions(...CHARGED))
    if (settles) zaelFunction.allow(['dynamodb:PutItem'], [table.tableArn], inPartitions(RESERVATIONS))
    grantKey(table.encryptionKey, zaelFunction.fn)
    return zaelFunction.fn
  }
}

/** The options as the function reads them. Throws an error that names the invalid property. */
const optionsOf = (props: ZaelAuthorizerProps): AuthorizerOptions => {
  const { cost, routeCosts, resource, settles, expiresIn } = props
  if (expiresIn !== undefined && !settles) throw new Error('expiresIn requires settles: true')
  const options = {
    ...(cost !== undefined && { cost }),
    ...(routeCosts !== undefined && { route_costs: routeCosts }),
    ...(resource !== undefined && { resource }),
    ...(settles !== undefined && { settles }),
    ...(expiresIn !== undefined && { expires_in_seconds: expiresIn.toSeconds() }),
  }
  const [fault] = authorizerOptionFaults(options)
  if (fault !== undefined) {
    const [field = '', ...rest] = fault.path
    throw new Error(`${[PROPERTIES[field] ?? field, ...rest].join('.')} must ${fault.must}`)
  }
  return options
}

const PROPERTIES: Readonly<Record<string, string>> = {
  route_costs: 'routeCosts',
  expires_in_seconds: 'expiresIn',
}
