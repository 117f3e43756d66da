import { fileURLToPath } from 'node:url'
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { FunctionUrlAuthType, Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import type { Construct } from 'constructs'
import { ZaelAggregator, ZaelAlarms, ZaelApi, ZaelTable, ZaelTokens } from 'zael/cdk'

/**
 * A shop's own stack that includes zael: the table for the limits, API and usage, and a function that limits itself with
 * that table.
 */
export class ShopStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)
    const table = new ZaelTable(this, 'Limits')
    const tokens = new ZaelTokens(this, 'LimitTokens', { label: 'shop' })
    const api = new ZaelApi(this, 'LimitApi', {
      table,
      adminToken: tokens.admin,
      viewerToken: tokens.viewer,
      environment: { DEFAULT_RPM_LIMIT: '120' },
    })
    const aggregator = new ZaelAggregator(this, 'Usage', { table, streamArn: table.streamArn })
    new ZaelAlarms(this, 'LimitAlarms', { api, aggregator, table })

    const orders = new NodejsFunction(this, 'Orders', {
      entry: fileURLToPath(new URL('orders-handler.ts', import.meta.url)),
      runtime: Runtime.NODEJS_24_X,
      bundling: { format: OutputFormat.ESM },
      environment: { LIMITS_TABLE: table.tableName },
    })
    table.grantDecide(orders)
    const { url } = orders.addFunctionUrl({ authType: FunctionUrlAuthType.NONE })
    new CfnOutput(this, 'OrdersUrl', { value: url })
    new CfnOutput(this, 'LimitsUrl', { value: api.url })
  }
}
