import { parseArgs } from 'node:util'
import { StartError } from '../serve/start-error.ts'
import { integer, Mistake } from '../settings/setting-kinds.ts'

export const SERVE_HELP = `npm start [-- options]

Serves the API, with a DynamoDB of its own unless AWS_ENDPOINT_URL names one.

  -w, --workers N   processes that answer on the same port, 1 to 64; 1 unless told
  -h, --help        this text

Everything else is set in the environment: docs/settings.md
`

export interface ServeOptions {
  readonly workers: number
}

const OPTIONS = {
  workers: { type: 'string', short: 'w', default: '1' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // Node's further sentences guess at what was meant
    throw new StartError(error.message.split(/\.(?=\s|$)|\n/)[0])
  }
}

/** Reads the command line. Undefined: help was asked for. Throws `StartError`. */
export const readServeOptions = (args: readonly string[]): ServeOptions | undefined => {
  const { help, workers } = parse(args)
  if (help) return undefined
  try {
    return { workers: integer(1, 64)(workers) }
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    throw new StartError(`--workers must ${error.message}`)
  }
}
