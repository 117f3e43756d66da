import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../../scripts/emulator-process.ts'
import { type ChildServer, startServer } from '../child-server.ts'

/*
 * Other gateways. The benchmark installs them by itself, once, at exact versions, and outside of the package: their dependencies
 * are many. Where one cannot be installed, it is left out with the reason.
 */

const PORTKEY = '@portkey-ai/gateway@1.15.2'

const LITELLM = 'litellm[proxy]==1.108.7'

const FOLDER = join(process.cwd(), 'node_modules/.cache/zael-bench/peers')

const INSTALL = { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 }

const run = promisify(execFile)

/** A gateway, or why it cannot be measured. */
export type Peer = ChildServer | { readonly missing: string }

export const isMissing = (peer: Peer): peer is { readonly missing: string } => 'missing' in peer

const unlessMissing = async (start: () => Promise<ChildServer>): Promise<Peer> => {
  try {
    return await start()
  } catch (error) {
    return { missing: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}

/** Portkey's gateway. Each request names its upstream. */
export const startPortkey = (): Promise<Peer> =>
  unlessMissing(async () => {
    const folder = join(FOLDER, 'portkey')
    const script = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js')
    if (!existsSync(script)) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
      await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', PORTKEY], {
        ...INSTALL,
        cwd: folder,
      })
    }
    return startServer({
      script: 'bench/gateway/portkey-server.mjs',
      environment: { PORTKEY_SERVER: script },
    })
  })

/** The headers that a request to Portkey's gateway needs. */
export const portkeyHeaders = (upstream: ChildServer): Readonly<Record<string, string>> => ({
  'x-portkey-provider': 'openai',
  'x-portkey-custom-host': `${upstream.url}/v1`,
})

/** LiteLLM's proxy, with one worker as by default. */
export const startLiteLlm = (upstream: ChildServer, model: string): Promise<Peer> =>
  unlessMissing(async () => {
    const python = join(FOLDER, 'litellm/bin/python')
    const program = join(FOLDER, 'litellm/bin/litellm')
    if (!existsSync(program)) {
      mkdirSync(FOLDER, { recursive: true })
      await run('python3', ['-m', 'venv', join(FOLDER, 'litellm')], INSTALL)
      await run(python, ['-m', 'pip', 'install', '--quiet', LITELLM], INSTALL)
    }
    const config = join(FOLDER, 'litellm.yaml')
    writeFileSync(config, liteLlmConfig(upstream, model))
    return serveLiteLlm(program, config)
  })

const liteLlmConfig = ({ url }: ChildServer, model: string): string =>
  JSON.stringify({
    model_list: [
      {
        model_name: model,
        litellm_params: { model: `openai/${model}`, api_base: `${url}/v1`, api_key: 'unused' },
      },
    ],
    litellm_settings: { telemetry: false },
  })

const START_MS = 120_000

/** It accepts every request, as it checks no keys here: that would only make it slower. */
const OPEN = { LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true' }

const serveLiteLlm = async (program: string, config: string): Promise<ChildServer> => {
  const port = await freePort()
  const child = spawn(program, ['--config', config, '--host', '127.0.0.1', '--port', String(port)], {
    cwd: FOLDER,
    env: { PATH: process.env.PATH, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR', ...OPEN },
    stdio: 'ignore',
  })
  const closed = once(child, 'close')
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await closed
  }
  try {
    await ready(`${url}/health/liveliness`, () => child.exitCode === null)
  } catch (error) {
    await stop()
    throw error
  }
  const nothing = (): never => {
    throw new Error('this server takes no messages')
  }
  const processorTime = async () => processorTimeOf(child.pid ?? 0)
  return { url, stop, processorTime, request: async () => nothing(), printed: async () => nothing() }
}

const ready = async (url: string, isRunning: () => boolean): Promise<void> => {
  const end = performance.now() + START_MS
  while (performance.now() < end && isRunning()) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return
    await pause(500)
  }
  throw new Error('the server did not start')
}

/** Clock ticks per second of Linux, in which /proc counts processor time. */
const TICKS = 100

const processorTimeOf = (pid: number) => {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  // user and system time are the 14th and 15th of all fields
  const [user, system] = fields.split(' ').slice(11, 13).map(Number)
  const all = (((user ?? Number.NaN) + (system ?? Number.NaN)) / TICKS) * 1e6
  return { all, mainThread: null }
}
