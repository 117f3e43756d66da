import { CfnCondition, CfnParameter, type CfnParameterProps, CfnResource, Fn } from 'aws-cdk-lib'
import { Code, type CodeConfig } from 'aws-cdk-lib/aws-lambda'
import type { IConstruct } from 'constructs'
import type { Flavour } from '../../lib/construct-props.ts'
import { ZaelStack } from '../../lib/zael-stack.ts'
import packageJson from '../../package.json' with { type: 'json' }
import {
  type CloudFormationTemplate,
  synthesized,
  type TemplateResource,
  withoutBootstrap,
} from './synthesize.ts'

/** The parameters of the template, by name. */
const PARAMETERS: Readonly<Record<string, CfnParameterProps>> = {
  Name: {
    type: 'String',
    default: 'prod',
    allowedPattern: '[A-Za-z0-9][A-Za-z0-9-]{0,63}',
    description: 'Names this deployment: the table is ZAEL-<Name>',
  },
  CodeBucket: { type: 'String', description: 'The S3 bucket with the code, in the region of the stack' },
  ApiCodeKey: {
    type: 'String',
    default: `zael/${packageJson.version}/api.zip`,
    description:
      'The object of that bucket with the code of the API: dist/lambdas/api of the npm package, zipped',
  },
  AggregatorCodeKey: {
    type: 'String',
    default: `zael/${packageJson.version}/aggregator.zip`,
    description: 'The same for the aggregator: dist/lambdas/aggregator',
  },
  SetCloudWatchRole: {
    type: 'String',
    default: 'true',
    allowedValues: ['true', 'false'],
    description:
      'Sets the role by which API Gateway writes logs, which the account shares; false if it has one',
  },
}

/** Code in the bucket of the parameter, under the key of another. */
class CodeOfParameters extends Code {
  readonly isInline = false
  private readonly key: string

  constructor(key: string) {
    super()
    this.key = key
  }

  bind(): CodeConfig {
    return { s3Location: { bucketName: Fn.ref('CodeBucket'), objectKey: Fn.ref(this.key) } }
  }
}

/** `ZaelStack` as a template that needs neither the CDK nor its bootstrap: its code is in a bucket that parameters name. */
export const zaelTemplate = (flavour: Flavour = 'aws'): CloudFormationTemplate => {
  const template = synthesized((app) => {
    const stack = new ZaelStack(app, 'Zael', {
      name: Fn.ref('Name'),
      flavour,
      synthesizer: withoutBootstrap(),
      api: { code: new CodeOfParameters('ApiCodeKey'), cloudWatchRole: flavour === 'aws' },
      aggregator: { code: new CodeOfParameters('AggregatorCodeKey') },
    })
    for (const [name, props] of Object.entries(PARAMETERS)) new CfnParameter(stack, name, props)
    if (flavour === 'aws') makeLogRoleOptional(stack)
    return stack
  })
  const conditional = idsOf(template, ({ Condition }) => Condition !== undefined)
  const resources = Object.entries(template.Resources).map(
    ([id, { Metadata: _, DependsOn = [], ...resource }]) => {
      const dependencies = [DependsOn].flat().filter((other) => !conditional.includes(other))
      return [id, { ...resource, ...(dependencies.length > 0 && { DependsOn: dependencies }) }]
    },
  )
  return { ...template, Resources: Object.fromEntries(resources) }
}

const idsOf = (template: CloudFormationTemplate, matches: (resource: TemplateResource) => boolean) =>
  Object.entries(template.Resources).flatMap(([id, resource]) => (matches(resource) ? [id] : []))

/**
 * The account's role for logs of API Gateway exists if the parameter says so. The stage that logs then follows it: by a reference,
 * which has a condition, in place of a `DependsOn`, which has none.
 */
const makeLogRoleOptional = (stack: ZaelStack): void => {
  const condition = new CfnCondition(stack, 'SetsCloudWatchRole', {
    expression: Fn.conditionEquals(Fn.ref('SetCloudWatchRole'), 'true'),
  })
  const { api } = stack.api
  const account = definitionOf(api, 'Account')
  for (const resource of [account, definitionOf(api, 'CloudWatchRole')])
    resource.cfnOptions.condition = condition
  const stage = definitionOf(api.deploymentStage, 'Resource')
  const afterAccount = Fn.join('', ['zael, after ', account.ref])
  stage.addPropertyOverride('Description', Fn.conditionIf(condition.logicalId, afterAccount, 'zael'))
}

const definitionOf = (construct: IConstruct, id: string): CfnResource => {
  const child = construct.node.findChild(id)
  const definition = child instanceof CfnResource ? child : child.node.defaultChild
  if (definition instanceof CfnResource) return definition
  throw new Error(`${child.node.path} has no definition`)
}
