import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface ServeProcess {
  readonly apiUrl: string
  /** The URL of the engine. */
  readonly tableUrl: string
  readonly stdout: string
  readonly stderr: () => string
  /** Sends a signal, and waits for the end of every process that writes to the same streams. Resolves to the exit code. */
  end(signal?: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Environment = Readonly<Record<string, string>>

/** On a busy machine a slow response must not count as an unavailable store. */
const PATIENT = { STORE_DEADLINE_MS: '30000' }

/** The environment of the tests is not inherited; ports are free ones by default. */
const launch = (environment: Environment, args: readonly string[], byNpm = false) => {
  const [program, programArgs] = byNpm
    ? ['npm', ['start', '--', ...args]]
    : [process.execPath, [join(inject('programs'), 'serve.mjs'), ...args]]
  const child = spawn(program, programArgs, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0', DYNAMODB_PORT: '0', ...PATIENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return { child, output, closed: once(child, 'close') }
}

const found = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text)?.[1]
  if (match === undefined) throw new Error(`${pattern} is not in what was printed: ${text}`)
  return match
}

/** Starts zael, bundled, and waits until it has printed its URLs. `byNpm`: with `npm start`. */
export const startServe = async (
  environment: Environment = {},
  args: readonly string[] = [],
  { byNpm = false } = {},
): Promise<ServeProcess> => {
  const { child, output, closed } = launch(environment, args, byNpm)
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => output.stdout.includes('/api/usage/') && resolve())
    child.once('close', (code) => reject(new Error(`it ended with ${code}: ${output.stderr}`)))
  })
  return {
    apiUrl: found(output.stdout, /API +(\S+)/),
    tableUrl: found(output.stdout, /Table +\S+ in ([^\s,]+)/),
    stdout: output.stdout,
    stderr: () => output.stderr,
    async end(signal = 'SIGINT') {
      child.kill(signal)
      await closed
      return child.exitCode
    },
  }
}

/** Starts zael in a setup in which it ends by itself. */
export const failToServe = async (environment: Environment, args: readonly string[] = []): Promise<Ended> => {
  const { child, output, closed } = launch(environment, args)
  await closed
  return { code: child.exitCode, ...output }
}
