import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { API_SOURCE, bundleLambda } from '../../lib/bundle-lambda.ts'
import { CACHE, ROOT } from '../../scripts/bundle-cache.mjs'
import { freePort } from '../../scripts/emulator-process.ts'
import { type LambdaStart, startLambda } from '../../scripts/lambda-start.ts'

/** From the command to the first 200 of `/health` and of a check, ms. */
export interface ServerStart {
  readonly healthMs: number
  readonly checkMs: number
}

const POLL_MS = 5

const PATIENCE_MS = 60_000

/** Starts zael with `npm start` and its own engine in memory, and stops it. `isChanged`: as after a change of the sources. */
export const measureServerStart = async ({ isChanged = false } = {}): Promise<ServerStart> => {
  if (isChanged) await rm(join(CACHE, 'current.json'), { force: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), DYNAMODB_PORT: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await untilOk(child, () => fetch(`${url}/health`))
    const healthMs = performance.now() - began
    await untilOk(child, () => fetch(`${url}/v1/limits/check`, CHECK))
    return { healthMs, checkMs: performance.now() - began }
  } finally {
    await stop(child)
  }
}

const CHECK = {
  method: 'POST',
  headers: { authorization: 'Bearer key-bob', 'content-type': 'application/json' },
  body: '{}',
}

const untilOk = async (child: ChildProcess, request: () => Promise<Response>): Promise<void> => {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    // refused until the server listens
    const response = await request().catch(() => undefined)
    await response?.body?.cancel()
    if (response?.status === 200) return
    if (child.exitCode !== null || performance.now() > end) throw new Error('npm start does not respond')
    await pause(POLL_MS)
  }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}

/** Starts of the API's Lambda, each in a new process. */
export const measureLambdaStarts = async (runs: number): Promise<readonly LambdaStart[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-bundle-'))
  try {
    bundleLambda(API_SOURCE, directory)
    const starts: LambdaStart[] = []
    for (let run = 0; run < runs; run++) starts.push(await startLambda(directory))
    return starts
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
