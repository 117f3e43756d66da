import { demoData } from '../seed/demo-data.ts'
import { loadDemoData } from '../seed/load-demo-data.ts'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { reasonOf, StartError } from '../src/command-line/failure.ts'
import {
  accessTo,
  type Connect,
  connectTo,
  connectToAws,
  isLocalEndpoint,
  LONG_DEADLINE_MS,
} from '../src/compose/connect.ts'
import { administrationOf } from '../src/compose/table.ts'

const HELP = `npm run seed [-- options]

Loads the demo entities, keys, models, limits and policies into a table. Items that exist are left as they are.

  --allow-demo-keys   also into a table that is not on this machine: the secrets of demo keys are public
  -h, --help          this text

TABLE_NAME names the table (default: ZAEL-demo), AWS_ENDPOINT_URL its DynamoDB (default: AWS).`

const connectionTo = (endpoint: string | undefined): Connect =>
  endpoint === undefined ? connectToAws : connectTo({ endpoint, ...accessTo(endpoint, process.env) })

const requireConsent = (endpoint: string | undefined, isAllowed: boolean): void => {
  if (isAllowed || isLocalEndpoint(endpoint)) return
  const target = endpoint === undefined ? 'AWS (AWS_ENDPOINT_URL is not set)' : endpoint
  throw new StartError(
    `cannot load demo keys, whose secrets are public, into ${target}: set AWS_ENDPOINT_URL to a local one, or add --allow-demo-keys`,
  )
}

const seed = async (allowDemoKeys: boolean): Promise<string> => {
  const tableName = process.env.TABLE_NAME || 'ZAEL-demo'
  const endpoint = process.env.AWS_ENDPOINT_URL || undefined
  requireConsent(endpoint, allowDemoKeys)
  const client = connectionTo(endpoint)({ deadlineMs: LONG_DEADLINE_MS })
  try {
    const { made } = await loadDemoData(administrationOf(client, tableName), demoData)
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
