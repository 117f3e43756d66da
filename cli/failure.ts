import { UserError } from '../src/command-line/command-line.ts'

/** The exit codes of `zael`, which scripts may rely on. */
export const EXIT_CODES = {
  ok: 0,
  /** The server failed, or refused because of its state: a conflict, a stale ETag. */
  failed: 1,
  /** An argument, an option or a field of the request is wrong; nothing was changed. */
  usage: 2,
  /** The token is missing, unknown or not sufficient, or a limit denies the request. */
  denied: 3,
  notFound: 4,
  /** The server, or its table, cannot be reached. */
  unavailable: 5,
  /** `zael diff`: zael differs from the file. */
  differs: 6,
  /** `zael apply`: somebody else has changed something since the plan was made. */
  stale: 7,
} as const

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]

/** A failure that is reported in one line, or with `--json` as an object. */
export class CliError extends UserError {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  /** The code of the API (`not_found`), or one of this program (`usage`, `unreachable`). */
  readonly code: string

  constructor(message: string, exitCode: ExitCode, code: string) {
    super(message)
    this.exitCode = exitCode
    this.code = code
  }
}

export const usageError = (message: string): CliError => new CliError(message, EXIT_CODES.usage, 'usage')

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT_CODES.usage,
  401: EXIT_CODES.denied,
  403: EXIT_CODES.denied,
  404: EXIT_CODES.notFound,
  413: EXIT_CODES.usage,
  415: EXIT_CODES.usage,
  429: EXIT_CODES.denied,
  502: EXIT_CODES.unavailable,
  503: EXIT_CODES.unavailable,
  504: EXIT_CODES.unavailable,
}

/** The exit code after a response that is an error. */
export const exitCodeOf = (status: number): ExitCode => BY_STATUS[status] ?? EXIT_CODES.failed
