import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { deployCommand, emulatorEndpoint } from './deployment.ts'
import { ScriptError } from './run-command.ts'

/** An AWS emulator that runs as a process on this machine, including its Lambdas. */
export interface Emulator {
  readonly endpoint: string
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>
  /** Ends it and everything it started. A second call waits for the first. */
  stop(): Promise<void>
}

/** The command that starts an emulator. */
export interface EmulatorProgram {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Its complete environment; `directory` is temporary, and is deleted when it ends. */
  environment(port: number, directory: string): NodeJS.ProcessEnv
  readonly startTimeoutMs: number
  /** How long it may take to exit by itself, with everything it started. */
  readonly stopTimeoutMs: number
}

const LOG_END_CHARACTERS = 2_000

/** A free port of the loopback interface. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new ScriptError('no free port')
  return address.port
}

/** Throws `ScriptError` if another process listens on `port`: it would be mistaken for the emulator. */
const requireFree = async (port: number): Promise<void> => {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    throw new ScriptError(
      `port ${port} is in use: stop the process that listens on it, or set another in AWS_ENDPOINT_URL`,
    )
  }
  server.close()
  await once(server, 'close')
}

/** Whether `url` responds with success before `timeoutMs` have passed or `child` has ended. */
export const isReady = async (url: string, child: ChildProcess, timeoutMs: number): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return true
    await wait(100)
  }
  return false
}

/** Resolves when a process has ended, to the reason if it could not be started. */
const endOf = (child: ChildProcess): Promise<Error | undefined> =>
  new Promise((resolve) => child.on('error', resolve).once('exit', () => resolve(undefined)))

/** Throws `ScriptError` with the reason, or the end of its log, if it ends before it responds, or takes too long. */
const requireReady = async (
  { name, startTimeoutMs }: EmulatorProgram,
  endpoint: string,
  child: ChildProcess,
  ended: Promise<Error | undefined>,
  log: string,
): Promise<void> => {
  if (child.pid === undefined) throw new ScriptError(`${name} did not start: ${(await ended)?.message}`)
  if (await isReady(`${endpoint}/_localstack/health`, child, startTimeoutMs)) return
  throw new ScriptError(`${name} did not start:\n${readFileSync(log, 'utf8').slice(-LOG_END_CHARACTERS)}`)
}

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // It has already ended.
  }
}

/** The parent of a process. Undefined: there is no such process, or no /proc. */
const parentOf = (pid: number): number | undefined => {
  try {
    // The name is in parentheses, and may contain any character: pid (name) state ppid.
    return Number(/.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

const processes = (): readonly number[] =>
  existsSync('/proc/self/stat') ? readdirSync('/proc').map(Number).filter(Number.isInteger) : []

/** All descendants of `pid`: LocalStack starts DynamoDB Local in a process group of its own. Linux only. */
export const descendantsOf = (pid: number): readonly number[] => {
  const parents = processes().map((child) => ({ child, parent: parentOf(child) }))
  const found = [pid]
  for (const of of found) {
    found.push(...parents.filter(({ parent }) => parent === of).map(({ child }) => child))
  }
  return found.slice(1)
}

/** Ends the process group of `pid`, and then its remaining descendants. */
const endTree = async (pid: number, ended: Promise<unknown>, timeoutMs: number): Promise<void> => {
  const descendants = descendantsOf(pid)
  signal(-pid, 'SIGTERM')
  await Promise.race([ended, wait(timeoutMs, undefined, { ref: false })])
  signal(-pid, 'SIGKILL')
  for (const descendant of descendants) signal(descendant, 'SIGKILL')
}

/** Starts an emulator on the loopback interface. Default port: a free one. Throws `ScriptError` if it does not start. */
export const startEmulator = async (program: EmulatorProgram, port?: number): Promise<Emulator> => {
  if (port !== undefined) await requireFree(port)
  const chosen = port ?? (await freePort())
  const endpoint = `http://localhost:${chosen}`
  const directory = await mkdtemp(join(tmpdir(), `zael-${program.name.toLowerCase()}-`))
  const log = join(directory, 'emulator.log')
  const output = openSync(log, 'w')
  const child = spawn(program.command, program.args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: program.environment(chosen, directory),
  })
  const ended = endOf(child)
  const end = async (): Promise<void> => {
    if (child.pid !== undefined) await endTree(child.pid, ended, program.stopTimeoutMs)
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= end()
    return stopping
  }
  try {
    await requireReady(program, endpoint, child, ended, log)
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, ended, stop }
}

const portOf = (endpoint: string): number => {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol !== 'http:') {
    throw new ScriptError(`AWS_ENDPOINT_URL must be a URL that begins with http://, not ${endpoint}`)
  }
  return Number(url.port || 80)
}

/** Runs an emulator on the port of AWS_ENDPOINT_URL until this process is ended. */
export const runEmulator = async (
  name: string,
  start: (port: number) => Promise<Emulator>,
): Promise<void> => {
  const emulator = await start(portOf(emulatorEndpoint(process.env)))
  console.log(
    `${name} listens at ${emulator.endpoint}. Now, in another terminal: ${deployCommand(emulator.endpoint)}`,
  )
  process.once('SIGINT', emulator.stop).once('SIGTERM', emulator.stop)
  await emulator.ended
  await emulator.stop()
}
