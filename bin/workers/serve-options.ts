import { readCommandLine } from '../command-line/command-line.ts'
import { UserError } from '../command-line/user-error.ts'
import { integer, Mistake } from '../settings/setting-kinds.ts'

export const SERVE_HELP = `npm start [-- options]

Serves the API, with a DynamoDB of its own unless AWS_ENDPOINT_URL names one.

  -w, --workers N   processes that answer on the same port, 1 to 64; default 1
  -h, --help        this text

Everything else is set in the environment: docs/settings.md
`

export interface ServeOptions {
  readonly workers: number
}

const OPTIONS = { workers: { type: 'string', short: 'w', default: '1' } } as const

/** Reads the command line. Undefined: help was asked for. Throws `UserError`. */
export const readServeOptions = (args: readonly string[]): ServeOptions | undefined => {
  const given = readCommandLine(args, { options: OPTIONS })
  if (given === undefined) return undefined
  try {
    return { workers: integer(1, 64)(given.values.workers) }
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    throw new UserError(`--workers must ${error.message}`)
  }
}
