import { availableParallelism } from 'node:os'
import { readCommandLine, UserError } from '../src/command-line/command-line.ts'
import { createConsoleLogger } from '../src/platform/console-logger.ts'
import { traceToSources } from '../src/platform/source-maps.ts'
import { SettingsError } from '../src/settings/read-settings.ts'
import { parseText, wholeNumber } from '../src/settings/text-schemas.ts'
import { readServiceSettings } from './service/service-settings.ts'
import { startService } from './service/start-service.ts'
import { zaelVersion } from './version.ts'

const HELP = `node service.mjs [-- options]

Serves the API on the DynamoDB table TABLE_NAME of AWS, which must exist, with the credentials of the environment.
The aggregator on the table's stream counts usage.

  -w, --workers N   processes that listen on the same port, 1 to 64; default: one per processor
  -h, --help        this text

Everything else is set in the environment: docs/settings.md
`

const fail = (error: unknown): never => {
  const isExpected = error instanceof UserError || error instanceof SettingsError
  process.stderr.write(`zael: ${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`)
  process.exit(1)
}

/** Undefined: `--help` was given. Throws `UserError`. */
const readWorkers = (): number | undefined => {
  const options = { workers: { type: 'string', short: 'w' } } as const
  const given = readCommandLine(process.argv.slice(2), { options })
  if (given === undefined) return undefined
  if (given.values.workers === undefined) return Math.min(64, availableParallelism())
  const workers = parseText(wholeNumber(1, 64), given.values.workers)
  if ('must' in workers) throw new UserError(`--workers must ${workers.must}`)
  return workers.value
}

const main = async (): Promise<void> => {
  const workers = readWorkers()
  if (workers === undefined) {
    process.stdout.write(HELP)
    return
  }
  const environment = process.env
  // the versions of packages are determined by zael
  environment.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const { settings, tokens } = await readServiceSettings(environment)
  const logger = createConsoleLogger(settings.logLevel)
  const version = zaelVersion()
  const service = await startService({ settings, tokens, environment, version, logger }, workers)
  // a platform repeats its signal rather than sending another: only SIGKILL ends the process before its work
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) return
    isStopping = true
    logger.info('service stops')
    await service.stop().catch(fail)
    process.exit(0)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  const { tableName } = settings
  logger.info('service is ready', { version, url: service.apiUrl, table: tableName, workers })
}

traceToSources()
await main().catch(fail)
