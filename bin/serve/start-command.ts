import { readCommandLine, UserError } from '../../src/command-line/command-line.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import { parseText, wholeNumber } from '../../src/settings/text-schemas.ts'
import type { TableHost } from './table-host.ts'

/** The text of `--help`; `usage` is the command as it is typed: `npm start [-- options]`. */
export const serveHelp = (usage: string): string => `${usage}

Serves the API, with a DynamoDB of its own unless AWS_ENDPOINT_URL names one.

  -p, --port N      the port of the API instead of PORT; 0: any free one
  -w, --workers N   processes that listen on the same port, 1 to 64; default 1
  -h, --help        this text

Everything else is set in the environment: docs/settings.md
`

export interface ServeOptions {
  readonly workers: number
  /** Undefined: the setting PORT. */
  readonly port: number | undefined
}

const OPTIONS = {
  port: { type: 'string', short: 'p' },
  workers: { type: 'string', short: 'w', default: '1' },
} as const

/** Reads the command line. Undefined: `--help` was given. Throws `UserError`. */
export const readServeOptions = (args: readonly string[]): ServeOptions | undefined => {
  const given = readCommandLine(args, { options: OPTIONS })
  if (given === undefined) return undefined
  const { workers, port } = given.values
  return {
    workers: numberOf('workers', workers, 1, 64),
    port: port === undefined ? undefined : numberOf('port', port, 0, 65_535),
  }
}

const numberOf = (name: keyof typeof OPTIONS, text: string, least: number, most: number): number => {
  const number = parseText(wholeNumber(least, most), text)
  if ('must' in number) throw new UserError(`--${name} must ${number.must}`)
  return number.value
}

export interface Announced {
  readonly version: string
  readonly apiUrl: string
  readonly host: Pick<TableHost, 'endpoint' | 'region' | 'credentials'>
  readonly settings: Pick<
    Settings,
    'tableName' | 'dataDir' | 'awsEndpointUrl' | 'adminToken' | 'viewerToken' | 'defaultModel'
  >
}

const keptIn = ({ awsEndpointUrl, dataDir }: Announced['settings']): string => {
  if (awsEndpointUrl !== null) return ''
  return dataDir === null ? ', in memory: DATA_DIR keeps it' : `, kept in ${dataDir}`
}

/** The aws CLI requires credentials even if the engine ignores them. */
const scanLine = ({ host, settings }: Announced): string => {
  const { credentials } = host
  const access = credentials
    ? `AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey} `
    : ''
  return `${access}aws dynamodb scan --table-name ${settings.tableName} --endpoint-url ${host.endpoint} --region ${host.region}`
}

/** The text that is printed after the start: addresses, tokens and first commands. */
export const announcement = (announced: Announced): string => {
  const { version, apiUrl, host, settings } = announced
  return `
zael ${version} is ready. Ctrl-C stops it.

  API        ${apiUrl}
  Dashboard  ${apiUrl}/dashboard#token=${settings.adminToken}  (reads only: #token=${settings.viewerToken})
  Docs       ${apiUrl}/docs  (ReDoc: ${apiUrl}/redoc, OpenAPI: ${apiUrl}/openapi.json)
  Admin      Authorization: Bearer ${settings.adminToken}  (reads only: ${settings.viewerToken})
  Table      ${settings.tableName} in ${host.endpoint}${keptIn(settings)}

Read the table:
  ${scanLine(announced)}

Send a request as key-bob:
  curl ${apiUrl}/v1/chat/completions -H 'Authorization: Bearer key-bob' -H 'Content-Type: application/json' -d '{"model": "${settings.defaultModel}", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}'

Read their usage:
  curl ${apiUrl}/api/usage/key-bob -H 'Authorization: Bearer ${settings.viewerToken}'
`
}

export interface NpmWatch {
  readonly environment: Environment
  /** What npm runs, as it states in the environment: `start` for `npm start`, `npx` for `npx zael`. */
  readonly event: 'start' | 'npx'
  /** The id of the process that started this one. */
  readonly npmId: number
  /** The id of this process's parent now. */
  readonly parentId: () => number
  readonly onGone: () => void
}

const CHECK_EVERY_MS = 500

/**
 * Calls `onGone` once the parent of this process, which is npm or a shell of npx, has ended: npm forwards signals, except if it is
 * killed, and npx forwards them to a shell that does not. The `exec` of `npm start` makes npm the parent of this process; the
 * shell of npx ends when npx is terminated. It outlives a killed npx, and this process with it, unless it has replaced itself by this
 * process. A process that was started otherwise outlives its parent.
 */
export const watchNpm = ({ environment, event, npmId, parentId, onGone }: NpmWatch): void => {
  if (environment.npm_lifecycle_event !== event) return
  const timer = setInterval(() => {
    if (parentId() === npmId) return
    clearInterval(timer)
    onGone()
  }, CHECK_EVERY_MS).unref()
}
