import { runCommandLine } from '../bin/command-line/command-line.ts'
import { accessTo } from '../bin/serve/foreign-table-host.ts'
import { reasonOf, StartError } from '../bin/serve/start-error.ts'
import { randomSecrets } from '../src/platform/random-secrets.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createDynamoClient, type DynamoClient } from '../src/store/dynamodb/client.ts'
import { createDynamoAdminStore } from '../src/store/dynamodb/dynamo-admin-store.ts'
import { demoData } from './demo-data.ts'
import { loadDemoData } from './load-demo-data.ts'
import { isLocalEndpoint } from './local-endpoint.ts'

const HELP = `npm run seed [-- options]

Loads the demo entities, keys, models, limits and policies into a table. Items that exist are left as they are.

  --allow-demo-keys   also into a table that is not on this machine: the secrets of demo keys are public
  -h, --help          this text

TABLE_NAME names the table (default: ZAEL-demo), AWS_ENDPOINT_URL its DynamoDB (default: AWS).`

const DEADLINE_MS = 5_000

const open = (endpoint: string | undefined): DynamoClient => {
  const common = { clock: systemClock, deadlineMs: DEADLINE_MS }
  if (endpoint === undefined) return createDynamoClient(common)
  const { region, credentials } = accessTo(endpoint, process.env)
  return createDynamoClient({ ...common, endpoint, region, ...(credentials && { credentials }) })
}

const requireConsent = (endpoint: string | undefined, isAllowed: boolean): void => {
  if (isAllowed || isLocalEndpoint(endpoint)) return
  const target = endpoint === undefined ? 'AWS (AWS_ENDPOINT_URL is not set)' : endpoint
  throw new StartError(
    `refuses to load demo keys, whose secrets are known to everyone, into ${target}: set AWS_ENDPOINT_URL to a local one, or add --allow-demo-keys`,
  )
}

const seed = async (allowDemoKeys: boolean): Promise<string> => {
  const tableName = process.env.TABLE_NAME || 'ZAEL-demo'
  const endpoint = process.env.AWS_ENDPOINT_URL || undefined
  requireConsent(endpoint, allowDemoKeys)
  const client = open(endpoint)
  try {
    const store = createDynamoAdminStore(client, tableName, systemClock)
    const { made } = await loadDemoData({ store, clock: systemClock, secrets: randomSecrets }, demoData)
    return made === 0
      ? `${tableName} has all of the demo data`
      : `${tableName} has the demo data: ${made} new`
  } catch (error) {
    throw new StartError(`cannot load the demo data into ${tableName}: ${reasonOf(error)}`, { cause: error })
  } finally {
    client.close()
  }
}

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
await runCommandLine(
  {
    command: 'npm run seed',
    help: HELP,
    options: { 'allow-demo-keys': { type: 'boolean', default: false } },
  },
  async ({ values }) => console.log(await seed(values['allow-demo-keys'])),
)
