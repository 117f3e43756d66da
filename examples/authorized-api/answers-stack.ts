import { fileURLToPath } from 'node:url'
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { EndpointType, LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway'
import { Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import type { Construct } from 'constructs'
import { type Flavour, ZaelAuthorizer, ZaelTable } from 'zael/cdk'

export interface AnswersStackProps extends StackProps {
  /** The table of a deployed zael. */
  readonly tableName: string
  readonly flavour?: Flavour
}

/**
 * A REST API of its own, whose requests are limited by a deployed zael. A request to `/answers` reserves 500 tokens, and its
 * function settles what it used. A request to `/orders` costs one request, and its function does not concern itself with limits.
 */
export class AnswersStack extends Stack {
  constructor(scope: Construct, id: string, { tableName, flavour = 'aws', ...props }: AnswersStackProps) {
    super(scope, id, props)
    const limits = new ZaelAuthorizer(this, 'Limits', {
      table: ZaelTable.fromTableName(this, 'Table', tableName),
      flavour,
      settles: true,
      routeCosts: { 'POST /answers': { requests: 1, tokens: 500 } },
    })
    const api = new RestApi(this, 'Api', {
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      defaultMethodOptions: { authorizer: limits.authorizer },
    })
    limits.addGatewayResponses(api)

    const answers = this.handler('answers')
    limits.grantSettle(answers)
    api.root.addResource('answers').addMethod('POST', new LambdaIntegration(answers))
    api.root.addResource('orders').addMethod('GET', new LambdaIntegration(this.handler('orders')))
    new CfnOutput(this, 'ApiId', { value: api.restApiId })
    new CfnOutput(this, 'AuthorizerName', { value: limits.fn.functionName })
  }

  private handler(name: string): NodejsFunction {
    return new NodejsFunction(this, name, {
      entry: fileURLToPath(new URL(`${name}-handler.ts`, import.meta.url)),
      runtime: Runtime.NODEJS_24_X,
      bundling: { format: OutputFormat.ESM, mainFields: ['module', 'main'], bundleAwsSDK: true },
    })
  }
}
