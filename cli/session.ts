import type { Command } from 'commander'
import type { ApiClient } from './api/client.ts'
import { type ConnectionOptions, connectionOf } from './api/connection.ts'
import { CliError, EXIT_CODES, usageError } from './failure.ts'
import type { Host } from './host.ts'
import { type Style, styleOf } from './output/text.ts'

/** The options that every command has. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean
  readonly yes?: boolean
}

/** One run of the program, as its commands see it. */
export interface Session {
  readonly host: Host
  /** Marks for texts on stdout. */
  readonly style: Style
  readonly isJson: () => boolean
  /** The client of the selected server. Throws `CliError` for options that do not select one. */
  api(): Promise<ApiClient>
  /** Prints `value` with `--json`, else the text for people. */
  print(value: unknown, text: () => string): void
  /** Asks before something is lost. Throws `CliError` if the answer is not yes, or if nobody can be asked. */
  confirm(question: string): Promise<void>
}

/** A command of the program. Its module is loaded when it is called, so that every start loads only one of them. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** Adds the subcommands, options and the action of the command. */
  readonly load: () => Promise<(command: Command, session: Session) => void>
}

/** A command with options of its own, which are not those of all commands: `serve`, `load`. */
export interface ProgramEntry extends Pick<CommandEntry, 'name' | 'summary'> {
  /** The names of its options, for completion. */
  readonly options: readonly string[]
  /** Runs it with these arguments, which may contain `--help`. Throws `UserError`. */
  readonly run: (args: readonly string[]) => Promise<void>
}

export const createSession = (host: Host, options: () => GlobalOptions): Session => {
  const style = styleOf(host.stdout, host.environment)
  const isJson = (): boolean => options().json === true
  return {
    host,
    style,
    isJson,
    async api() {
      // loaded here: --help and completion need no client
      const { createApiClient } = await import('./api/client.ts')
      return createApiClient(host, await connectionOf(host, options()))
    },
    print(value, text) {
      host.stdout.write(isJson() ? `${JSON.stringify(value, null, 2)}\n` : text())
    },
    confirm: (question) => confirm(host, question, options().yes === true),
  }
}

const confirm = async (host: Host, question: string, isConfirmed: boolean): Promise<void> => {
  if (isConfirmed) return
  if (host.stdin.isTTY !== true || host.stderr.isTTY !== true)
    throw usageError(`${question} Give --yes to confirm, as nobody can be asked here`)
  const answer = await host.ask(`${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new CliError('nothing was changed', EXIT_CODES.failed, 'declined')
}
