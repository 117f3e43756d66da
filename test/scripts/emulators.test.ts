import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type EmulatorProgram, startEmulator } from '../../scripts/emulator-process.ts'
import { LOCALSTACK_VERSION } from '../../scripts/localstack/install.ts'

describe('the process of an emulator', () => {
  /** A program that starts another in its own process group. Like an emulator it serves HTTP; it returns both process ids. */
  const PROGRAM = `
const { spawn } = require('node:child_process')
const { createServer } = require('node:http')
const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
createServer((_, response) => response.end([process.pid, child.pid].join(' '))).listen(process.env.PORT, '127.0.0.1')
`

  const program = (script: string): EmulatorProgram => ({
    name: 'Fake',
    command: process.execPath,
    args: ['-e', script],
    environment: (port) => ({ ...process.env, PORT: String(port) }),
    startTimeoutMs: 60_000,
    stopTimeoutMs: 60_000,
  })

  const isRunning = (pid: number): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  test('ends with everything it started, including other process groups', async () => {
    const emulator = await startEmulator(program(PROGRAM))
    const pids = (await (await fetch(`${emulator.endpoint}/pids`)).text()).split(' ').map(Number)
    expect(pids.map(isRunning)).toEqual([true, true])
    await Promise.all([emulator.stop(), emulator.stop()])
    await expect.poll(() => pids.map(isRunning), { timeout: 60_000 }).toEqual([false, false])
  })

  test('that does not start shows the end of its log', async () => {
    const broken = program('console.error("no such module"); process.exit(3)')
    await expect(startEmulator(broken)).rejects.toThrow(/^Fake did not start:\nno such module/)
  })

  test('that is killed during its start is not awaited', async () => {
    const killed = program('console.error("out of memory"); process.kill(process.pid, "SIGKILL")')
    await expect(startEmulator({ ...killed, startTimeoutMs: 3_600_000 })).rejects.toThrow(
      /^Fake did not start:\nout of memory/,
    )
  })

  test('whose command does not exist shows the reason, and can be stopped', async () => {
    const missing = { ...program(PROGRAM), command: '/nowhere/emulator' }
    await expect(startEmulator(missing)).rejects.toThrow('Fake did not start: spawn /nowhere/emulator ENOENT')
  })

  test('is not started on a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    try {
      await new Promise((listening) => server.once('listening', listening))
      const address = server.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      await expect(startEmulator(program(PROGRAM), port)).rejects.toThrow(
        `port ${port} is in use: stop the process that listens on it, or set another in AWS_ENDPOINT_URL`,
      )
    } finally {
      server.close()
    }
  })
})

describe('the Compose file', () => {
  const text = readFileSync(
    fileURLToPath(new URL('../../docker-compose.localstack.yml', import.meta.url)),
    'utf8',
  )
  const { services, volumes } = parse(text)

  test('starts the LocalStack that also runs without Docker, on loopback only', () => {
    expect(services.localstack.image).toBe(
      `localstack/localstack:\${LOCALSTACK_VERSION:-${LOCALSTACK_VERSION}}`,
    )
    expect(services.localstack.ports).toEqual(['127.0.0.1:4566:4566'])
  })

  test('allows time to pull the image of Lambdas at the start, and to stop them at the end', () => {
    expect(services.localstack).toMatchObject({
      environment: { CFN_PER_RESOURCE_TIMEOUT: '900', LAMBDA_IGNORE_ARCHITECTURE: '1' },
      stop_grace_period: '30s',
    })
  })

  test('deploys once LocalStack is healthy, from a copy without installed packages', () => {
    expect(services.init).toMatchObject({
      depends_on: { localstack: { condition: 'service_healthy' } },
      environment: { AWS_ENDPOINT_URL: 'http://localhost:4566' },
      restart: 'no',
    })
    const [, , script] = services.init.command
    expect(script).toContain('npm run deploy:local')
    for (const directory of ['node_modules', '.git', '.venv', '.localstack', 'cdk.out']) {
      expect(script).toContain(`--exclude=./${directory} `)
    }
  })

  test('declares the volumes that it uses', () => {
    const used = [...text.matchAll(/^ {6}- ([a-z]+):\//gm)].map(([, name]) => name)
    expect(used).toEqual(Object.keys(volumes))
  })
})
