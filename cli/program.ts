import { Command, CommanderError } from 'commander'
import { UserError } from '../src/command-line/command-line.ts'
import { COMMANDS } from './commands/commands.ts'
import { COMPLETE } from './commands/completion.ts'
import { CliError, EXIT_CODES, type ExitCode } from './failure.ts'
import type { Host } from './host.ts'
import { printable } from './output/text.ts'
import { createSession, type GlobalOptions, type ProgramEntry, type Session } from './session.ts'

export interface ProgramOptions {
  readonly version: string
  /** Commands beside those of this folder. */
  readonly programs?: readonly ProgramEntry[]
}

const CONNECTION = `
Connection:
  --url, or ZAEL_URL; default http://localhost:8080
  --token-file (- reads stdin), or ZAEL_TOKEN: the admin token, the viewer token, or the key of a caller;
  without one, the token dev-admin is sent to servers on this machine

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied, 4 not found, 5 unavailable,
6 differs (diff), 7 changed meanwhile (apply)`

interface Program {
  readonly program: Command
  readonly session: Session
  /** Adds the subcommands and options of a command, whose module is loaded for that. */
  readonly complete: (command: Command) => Promise<void>
}

/** The program `zael`, with the names of all commands. The one that is called is completed. */
const createProgram = (host: Host, { version, programs = [] }: ProgramOptions): Program => {
  const program = new Command('zael')
    .description('Rate limits, quotas and budgets for LLM and HTTP APIs')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .helpCommand(false)
    .option('--url <url>', 'the server')
    .option('--token-file <path>', 'a file that contains the token; - reads it from stdin')
    .option('--token <token>', 'the token itself, which other users of this machine can see')
    .option('--json', 'print JSON')
    .option('-y, --yes', 'do not ask before something is deleted')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      // printed where all failures are
      outputError: () => {},
      getOutHelpWidth: () => host.stdout.columns ?? 80,
      getErrHelpWidth: () => host.stderr.columns ?? 80,
    })
    .exitOverride()
    .addHelpText('after', CONNECTION)
  for (const { name, summary } of [...programs, ...COMMANDS]) {
    program.command(name).summary(summary).description(summary).helpCommand(false)
  }
  const session = createSession(host, () => program.opts<GlobalOptions>())
  const complete = async (command: Command): Promise<void> => {
    const entry = COMMANDS.find(({ name }) => name === command.name())
    const define = await entry?.load()
    define?.(command, session)
  }
  program.hook('preSubcommand', (_, command) => complete(command))
  return { program, session, complete }
}

/** Runs the program with these arguments, without the name of the program. Resolves to the exit code. */
export const run = async (
  args: readonly string[],
  host: Host,
  options: ProgramOptions,
): Promise<ExitCode> => {
  const created = createProgram(host, options)
  const { program } = created
  try {
    if (args[0] === COMPLETE) return await printCompletions(created, options, host, args.slice(2))
    // `zael help entities` is `zael entities --help`
    const given = args[0] === 'help' ? [...args.slice(1), '--help'] : [...args]
    const own = options.programs?.find(({ name }) => name === given[0])
    if (own === undefined) await program.parseAsync(given, { from: 'user' })
    else await own.run(given.slice(1))
    return EXIT_CODES.ok
  } catch (error) {
    return reportFailure(host, error, program.opts<GlobalOptions>().json === true)
  }
}

/** Prints what completes the last of `words`, for the scripts of `zael completion`. */
const printCompletions = async (
  { program, session, complete }: Program,
  { programs = [] }: ProgramOptions,
  host: Host,
  words: readonly string[],
): Promise<ExitCode> => {
  const { completionsOf, completionText } = await import('./completion.ts')
  const withOptions = async (command: Command): Promise<void> => {
    const own = programs.find(({ name }) => name === command.name())
    for (const flag of own?.options ?? []) command.option(`${flag} <value>`)
    await complete(command)
  }
  host.stdout.write(completionText(await completionsOf(program, words, session, withOptions)))
  return EXIT_CODES.ok
}

/** Prints a failure: one that the user can correct in one line, or as an object; another with its stack trace. */
const reportFailure = (host: Host, error: unknown, isJson: boolean): ExitCode => {
  if (error instanceof CommanderError) return reportUsage(host, error, isJson)
  if (!(error instanceof UserError)) {
    host.stderr.write(`zael: ${error instanceof Error ? error.stack : String(error)}\n`)
    return EXIT_CODES.failed
  }
  const { exitCode, code } =
    error instanceof CliError ? error : { exitCode: EXIT_CODES.failed, code: 'failed' }
  report(host, { code, message: error.message }, isJson)
  return exitCode
}

/** Commander throws after it has printed help too. */
const reportUsage = (host: Host, error: CommanderError, isJson: boolean): ExitCode => {
  if (error.exitCode === 0) return EXIT_CODES.ok
  // help instead of a missing subcommand
  if (error.code === 'commander.help') return EXIT_CODES.usage
  const message = error.message.replace(/^error: /, '').replaceAll(/\n+/g, ' ')
  report(host, { code: 'usage', message }, isJson)
  return EXIT_CODES.usage
}

const report = (
  { stderr }: Host,
  { code, message }: { readonly code: string; readonly message: string },
  isJson: boolean,
): void => {
  const text = isJson ? JSON.stringify({ error: code, message }) : `zael: ${printable(message)}`
  stderr.write(`${text}\n`)
}
