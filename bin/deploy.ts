import { App, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { Flavour } from '../lib/construct-props.ts'
import { ZaelStack } from '../lib/zael-stack.ts'

/** The CDK's command line prints this message, then its own error. */
const reject = (message: string): never => {
  console.error(`deploy: ${message}`)
  process.exit(1)
}

const app = new App()

const context = (key: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(key)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `-c bedrockModels=a,b` */
const listIn = (key: string): readonly string[] => context(key)?.split(',') ?? []

/** The variables `ALERT_SECRET_…` of this environment. */
const alertSecretVariables = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([variable, value = '']) =>
      variable.startsWith('ALERT_SECRET_') ? [[variable, value]] : [],
    ),
  )

const name = context('name') ?? 'demo'
if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name)) {
  reject(`-c name=${name}: the name must be letters, digits and hyphens, 64 at most, and begin with a letter`)
}

const endpoint = context('endpoint') ?? process.env.AWS_ENDPOINT_URL
const chosen = context('flavour') ?? (endpoint === undefined ? 'aws' : 'local')
const flavour: Flavour =
  chosen === 'aws' || chosen === 'local'
    ? chosen
    : reject(`-c flavour=${chosen}: the flavour must be aws or local`)

const removalPolicy = context('removalPolicy') ?? 'retain'
if (removalPolicy !== 'retain' && removalPolicy !== 'destroy') {
  reject(`-c removalPolicy=${removalPolicy}: the removal policy of the table must be retain or destroy`)
}

if (flavour === 'local') {
  new ZaelStack(app, `Zael-${name}`, {
    name,
    flavour,
    endpoint: endpoint ?? 'http://localhost:4566',
    plainTextTokens: {
      admin: process.env.ADMIN_TOKEN ?? 'dev-admin',
      viewer: process.env.VIEWER_TOKEN ?? 'dev-viewer',
    },
    alerts: { alertWebhookAddresses: 'loopback', plainTextAlertSecrets: alertSecretVariables() },
  })
} else {
  new ZaelStack(app, `Zael-${name}`, {
    name,
    api: {
      bedrockModels: listIn('bedrockModels'),
      bedrockMantle: context('bedrockMantle') === 'true',
      upstreamSecrets: listIn('upstreamSecrets'),
      cloudWatchRole: context('cloudWatchRole') !== 'false',
    },
    table: { removalPolicy: removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN },
    alerts: { alertTopics: listIn('alertTopics'), alertSecrets: listIn('alertSecrets') },
  })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
}
