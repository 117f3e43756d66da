import { Fn, Stack } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { ZaelTable } from '../../lib/zael-table.ts'
import {
  type CloudFormationTemplate,
  synthesized,
  type TemplateResource,
  withoutBootstrap,
} from './synthesize.ts'

/**
 * A template of AWS SAM: a function with the permissions that `grantDecide` gives, on the table of a deployed zael. Everything
 * but the permissions is an example.
 */
export const functionTemplate = (): CloudFormationTemplate => ({
  AWSTemplateFormatVersion: '2010-09-09',
  Transform: 'AWS::Serverless-2016-10-31',
  Description: 'A function that limits its callers with the table of a deployed zael',
  Parameters: {
    LimitsTable: {
      Type: 'String',
      Default: 'ZAEL-prod',
      Description: 'The table: the output TableName of zael',
    },
  },
  Resources: { Orders: ordersFunction() },
  Outputs: {
    OrdersUrl: {
      Value: {
        'Fn::Join': [
          '',
          [
            'https://',
            { Ref: 'ServerlessHttpApi' },
            '.execute-api.',
            { Ref: 'AWS::Region' },
            '.',
            { Ref: 'AWS::URLSuffix' },
            '/',
          ],
        ],
      },
    },
  },
})

const ordersFunction = (): TemplateResource => ({
  Type: 'AWS::Serverless::Function',
  Properties: {
    CodeUri: '.',
    Handler: 'orders-handler.handler',
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    MemorySize: 512,
    Environment: { Variables: { LIMITS_TABLE: { Ref: 'LimitsTable' } } },
    Policies: [{ Version: '2012-10-17', Statement: decidingStatements() }],
    Events: { Any: { Type: 'HttpApi' } },
  },
  Metadata: {
    BuildMethod: 'esbuild',
    BuildProperties: {
      EntryPoints: ['orders-handler.ts'],
      Format: 'esm',
      OutExtension: ['.js=.mjs'],
      Target: 'es2022',
      MainFields: 'module,main',
      Minify: true,
    },
  },
})

/** The statements of `grantDecide` for the table in the parameter `LimitsTable`. */
const decidingStatements = (): unknown => {
  const template = synthesized((app) => {
    const stack = new Stack(app, 'Orders', { synthesizer: withoutBootstrap() })
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    ZaelTable.fromTableName(stack, 'Limits', Fn.ref('LimitsTable')).grantDecide(role)
    return stack
  })
  const policies = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::Policy')
  return policies.flatMap(({ Properties }) => Reflect.get(Object(Properties?.PolicyDocument), 'Statement'))
}
