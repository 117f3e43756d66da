import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { ProcessorTime } from './report-cpu.ts'

/** A server in its own process. */
export interface ChildServer {
  readonly url: string
  processorTime(): Promise<ProcessorTime>
  /** The reply of a preloaded module to a message. */
  request(message: string): Promise<unknown>
  /** The first group of `pattern` in what it has printed, or will print. */
  printed(pattern: RegExp): Promise<string>
  stop(): Promise<void>
}

export interface ChildOptions {
  /** A module of TypeScript, which is compiled, or of JavaScript. */
  readonly script: string
  readonly environment?: Readonly<Record<string, string>>
  /** Modules to load before the script. */
  readonly preloaded?: readonly string[]
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Inside the repository, so that packages are resolved. */
const COMPILED = 'node_modules/.cache/zael-bench'

/** Every server prints its address in this form. */
const ADDRESS = /API +(\S+)\n/

/** Starts a server as production does, and waits until it has printed its address. */
export const startServer = async (options: ChildOptions): Promise<ChildServer> => {
  const child = await spawnNode(options)
  const printed = outputOf(child)
  const request = (message: string): Promise<unknown> => replyOf(child, message)
  return {
    url: await printed(ADDRESS),
    async processorTime() {
      const time = await request('cpu')
      if (!isProcessorTime(time)) throw new Error('the server does not report its processor time')
      return time
    },
    request,
    printed,
    stop: () => stop(child),
  }
}

const isProcessorTime = (reply: unknown): reply is ProcessorTime =>
  typeof reply === 'object' && reply !== null && 'all' in reply && 'mainThread' in reply

const spawnNode = async ({
  script,
  environment = {},
  preloaded = [],
}: ChildOptions): Promise<ChildProcess> => {
  const modules = [...preloaded, 'bench/report-cpu.ts', script]
  const [main = '', ...imported] = (await Promise.all(modules.map(compiled))).reverse()
  return spawn(process.execPath, [...imported.flatMap((module) => ['--import', `./${module}`]), main], {
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

/**
 * A module of TypeScript as one of JavaScript, as it is published: tsx also gives every closure a name whenever it is created,
 * which takes a measurable part of a request.
 */
const compiled = async (module: string): Promise<string> => {
  if (!module.endsWith('.ts')) return module
  const outfile = `${COMPILED}/${basename(module, '.ts')}.mjs`
  await build({
    absWorkingDir: ROOT,
    entryPoints: [module],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  return outfile
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
