import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { type EmulatorProgram, startEmulator } from '../../scripts/emulator-process.ts'

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
