import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface CommandOptions {
  readonly cwd?: string
  /** The whole environment of the command. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
}

/** A command that ended badly; it has said why itself. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly exitCode: number

  constructor(command: string, exitCode: number) {
    super(`${command} ended with ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** Runs a command to its end, its output going where this process's goes. Throws `CommandFailed`. */
export const runCommand = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<void> => {
  const child: ChildProcess = spawn(command, args, { ...options, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new CommandFailed([command, ...args].join(' '), typeof code === 'number' ? code : 1)
}

/** Runs `main` as a script: an expected failure is one line, anything else keeps its stack; both exit 1. */
export const runScript = async (main: () => Promise<void>): Promise<void> => {
  try {
    await main()
  } catch (error) {
    const expected = error instanceof CommandFailed || error instanceof ScriptError
    console.error(expected ? `error: ${error.message}` : error)
    process.exitCode = 1
  }
}

/** Something that whoever runs the script can put right. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
}
