import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server in its own process. */
export interface ChildServer {
  readonly url: string
  /** The processor time that the process has used since its start, in µs: user and system, all threads. */
  cpuMicros(): Promise<number>
  /** The reply of a preloaded module to a message. */
  request(message: string): Promise<unknown>
  /** The first group of `pattern` in what it has printed, or will print. */
  printed(pattern: RegExp): Promise<string>
  stop(): Promise<void>
}

export interface ChildOptions {
  readonly script: string
  readonly environment?: Readonly<Record<string, string>>
  /** Modules to load before the script. */
  readonly preloaded?: readonly string[]
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Every server prints its address in this form. */
const ADDRESS = /API +(\S+)\n/

/** Starts a server as production does, and waits until it has printed its address. */
export const startServer = async (options: ChildOptions): Promise<ChildServer> => {
  const child = spawnNode(options)
  const printed = outputOf(child)
  const request = (message: string): Promise<unknown> => replyOf(child, message)
  return {
    url: await printed(ADDRESS),
    async cpuMicros() {
      const cpu = await request('cpu')
      if (typeof cpu !== 'number') throw new Error('the server does not report its processor time')
      return cpu
    },
    request,
    printed,
    stop: () => stop(child),
  }
}

const spawnNode = ({ script, environment = {}, preloaded = [] }: ChildOptions): ChildProcess => {
  const imports = ['tsx', './bench/report-cpu.ts', ...preloaded].flatMap((module) => ['--import', module])
  return spawn(process.execPath, [...imports, script], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
}

const replyOf = async (child: ChildProcess, message: string): Promise<unknown> => {
  const reply = once(child, 'message')
  child.send(message)
  return (await reply)[0]
}

const outputOf = (child: ChildProcess): ChildServer['printed'] => {
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  return (pattern) =>
    new Promise((resolve, reject) => {
      const find = (): void => {
        const found = pattern.exec(printed)?.[1]
        if (found !== undefined) resolve(found)
      }
      child.stdout?.on('data', find)
      child.once('error', reject)
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${printed}`)))
      find()
    })
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}
