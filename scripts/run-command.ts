import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { UserError } from '../src/command-line/command-line.ts'
import { reasonOf } from '../src/command-line/failure.ts'

export interface CommandOptions {
  readonly cwd?: string
  /** The complete environment of the command. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
}

/** A command that could not be run, or that exited with a code other than 0 after it printed the reason. */
export class CommandFailed extends UserError {
  override readonly name = 'CommandFailed'
}

/** Runs a command to its end, with this process's output streams. Throws `CommandFailed`. */
export const runCommand = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<void> => {
  const child: ChildProcess = spawn(command, args, { ...options, stdio: 'inherit' })
  const [code, signal] = await once(child, 'exit').catch((error: unknown) => {
    throw new CommandFailed(`${command} cannot be run: ${reasonOf(error)}`)
  })
  if (code === 0) return
  const end = typeof code === 'number' ? `exited with ${code}` : `was ended by ${signal}`
  throw new CommandFailed(`${[command, ...args].join(' ')} ${end}`)
}

/** A failure that the user of the script can correct. */
export class ScriptError extends UserError {
  override readonly name = 'ScriptError'
}
