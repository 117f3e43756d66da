import { type ParseArgsConfig, parseArgs } from 'node:util'

/** A failure that users can correct: its message is printed in one line, without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError'
}

export type OptionTypes = NonNullable<ParseArgsConfig['options']>

export type OptionValues<O extends OptionTypes> = ReturnType<typeof parseArgs<{ options: O }>>['values']

/** A command of package.json. Every command takes `--help`, which is added to its options. */
export interface CommandLine<O extends OptionTypes> {
  /** The command as it is typed: `npm run load`. */
  readonly command: string
  /** Printed by `--help`. */
  readonly help: string
  readonly options: O
  /** Whether arguments other than options are accepted. Default: false. */
  readonly allowPositionals?: boolean
}

export interface CommandArguments<O extends OptionTypes> {
  readonly values: OptionValues<O>
  readonly positionals: readonly string[]
}

/** Node's first sentence names the argument; the others suggest how to quote it. */
const firstSentence = (text: string): string => text.split(/\.(?=\s|$)|\n/)[0] ?? text

const parse = <O extends OptionTypes>(args: readonly string[], options: O, allowPositionals: boolean) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const names = ['help', ...Object.keys(options)].map((name) => `--${name}`).join(', ')
    throw new UserError(`${firstSentence(error.message)}; the options are ${names}`)
  }
}

/**
 * Reads the arguments of a command. Undefined: they contain `--help` or `-h`. Throws `UserError`, which names the
 * argument that is wrong and the known options.
 */
export const readCommandLine = <const O extends OptionTypes>(
  args: readonly string[],
  { options, allowPositionals = false }: Pick<CommandLine<O>, 'options' | 'allowPositionals'>,
): CommandArguments<O> | undefined => {
  if (asksForHelp(args)) return undefined
  return parse(args, options, allowPositionals)
}

/** Also beside invalid arguments. Arguments after `--` are for another program. */
const asksForHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h')
}

/** Prints a failure: a `UserError` in one line, anything else with its stack trace. The process will exit with 1. */
const reportFailure = (command: string, error: unknown): void => {
  const name = command.replace(/^npm (run )?/, '')
  console.error(error instanceof UserError ? `${name}: ${error.message}` : error)
  process.exitCode = 1
}

/** Runs a command of package.json with this process's arguments, or prints its help. */
export const runCommandLine = async <const O extends OptionTypes>(
  commandLine: CommandLine<O>,
  main: (given: CommandArguments<O>) => Promise<void>,
): Promise<void> => {
  try {
    const given = readCommandLine(process.argv.slice(2), commandLine)
    if (given === undefined) console.log(commandLine.help.trimEnd())
    else await main(given)
  } catch (error) {
    reportFailure(commandLine.command, error)
  }
}
