import { reasonOf } from '../../src/command-line/failure.ts'
import { isLoopback } from '../../src/platform/loopback.ts'
import { usageError } from '../failure.ts'
import { type Host, textOf } from '../host.ts'

/** The server, and the credential that is sent to it. */
export interface Connection {
  /** The base of all routes, without a slash at its end; it may contain the stage of an API Gateway. */
  readonly url: string
  /** Undefined: requests are sent without a credential. */
  readonly token: string | undefined
}

/** The options of every command that select the connection. */
export interface ConnectionOptions {
  readonly url?: string
  readonly token?: string
  readonly tokenFile?: string
}

export const DEFAULT_URL = 'http://localhost:8080'

/** The default admin token of a server that only accepts connections of its own machine. It is public. */
const LOCAL_TOKEN = 'dev-admin'

const MOST_TOKEN_BYTES = 65_536

/**
 * The connection that options and environment select: options first. Throws `CliError` for a URL or a token that cannot be
 * used; no message contains the token.
 */
export const connectionOf = async (host: ConnectionHost, options: ConnectionOptions): Promise<Connection> => {
  const { environment } = host
  const source = options.url === undefined ? 'ZAEL_URL' : '--url'
  const url = baseUrl(options.url ?? (environment.ZAEL_URL || DEFAULT_URL), source)
  const token = (await givenToken(host, options)) ?? (isLoopback(url.hostname) ? LOCAL_TOKEN : undefined)
  return { url: url.href.replace(/\/+$/, ''), token }
}

type ConnectionHost = Pick<Host, 'environment' | 'stdin' | 'readFile'>

const givenToken = async (
  host: ConnectionHost,
  { token, tokenFile }: ConnectionOptions,
): Promise<string | undefined> => {
  if (tokenFile !== undefined) {
    if (token !== undefined) throw usageError('--token and --token-file cannot be combined')
    return checked(await tokenIn(host, tokenFile), `--token-file ${tokenFile}`)
  }
  if (token !== undefined) return checked(token, '--token')
  const { ZAEL_TOKEN: set } = host.environment
  return set ? checked(set, 'ZAEL_TOKEN') : undefined
}

const tokenIn = async ({ stdin, readFile }: ConnectionHost, path: string): Promise<string> => {
  if (path === '-') return ((await textOf(stdin, MOST_TOKEN_BYTES)) ?? '').trim()
  try {
    return (await readFile(path)).trim()
  } catch (error) {
    throw usageError(`--token-file ${path} cannot be read: ${reasonOf(error)}`)
  }
}

const baseUrl = (text: string, source: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw usageError(`${source} must be a URL such as ${DEFAULT_URL} or https://zael.example.com/prod`)
  if (url.username || url.password) throw usageError(`${source} must contain no user name or password`)
  if (url.search || url.hash) throw usageError(`${source} must contain no query or fragment`)
  return url
}

const checked = (token: string, source: string): string => {
  if (/^[\x21-\x7e]{1,16384}$/.test(token)) return token
  throw usageError(`${source} must contain one token: printable ASCII characters without spaces`)
}
