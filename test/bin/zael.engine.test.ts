import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, inject, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { startServe } from './serve-process.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface ZaelOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Starts the bundled program. */
const startZael = (args: readonly string[], { environment = {}, input = '' }: ZaelOptions = {}) => {
  const child = spawn(process.execPath, [join(inject('programs'), 'zael.mjs'), ...args], {
    env: { PATH: process.env.PATH, ...environment },
  })
  closing.push(() => child.kill('SIGKILL'))
  child.stdin.end(input)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, ...output })), output }
}

const zael = (args: readonly string[], options?: ZaelOptions) => startZael(args, options).ended

test('the program prints its version and its commands, programs included', async () => {
  expect(await zael(['--version'])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  const { stdout } = await zael(['--help'])
  for (const name of ['serve', 'load', 'whoami', 'entities'])
    expect(stdout).toMatch(new RegExp(`\n  ${name} `))
})

test('the program calls a server with the token of the environment, a file or stdin', async () => {
  const server = await startServe({ ADMIN_TOKEN: 'the-admin-token' })
  closing.push(() => server.end('SIGKILL'))
  const environment = { ZAEL_URL: server.apiUrl, ZAEL_TOKEN: 'the-admin-token' }
  const listed = await zael(['entities', 'list', '--json'], { environment })
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(listed.stdout).items).toContainEqual(expect.objectContaining({ entity_id: 'key-bob' }))
  const own = await zael(['whoami', '--url', server.apiUrl, '--token-file', '-'], { input: 'key-bob\n' })
  expect(own).toMatchObject({ code: 0, stderr: '' })
  expect(own.stdout).toMatch(/role +caller\nentity_id +key-bob\n$/)
  // the default token is not this server's
  const denied = await zael(['whoami', '--url', server.apiUrl])
  expect(denied).toMatchObject({ code: 3, stdout: '' })
})

test('export, apply and diff agree with a server and its table', async () => {
  const server = await startServe({ ADMIN_TOKEN: 'the-admin-token' })
  closing.push(() => server.end('SIGKILL'))
  const environment = { ZAEL_URL: server.apiUrl, ZAEL_TOKEN: 'the-admin-token' }
  const { stdout: exported } = await zael(['export'], { environment })
  expect(exported).toMatch(/\n  key-bob:\n    name: .*\n    parent_id: proj-demo\n/)
  const unchanged = await zael(['diff', '--prune', '-f', '-'], { environment, input: exported })
  expect(unchanged).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing to change/) })
  const input = exported.replace(
    '  key-bob:\n',
    '  key-new: { parent_id: key-bob, disabled: true }\n  key-bob:\n',
  )
  const applied = await zael(['apply', '--yes', '-f', '-'], { environment, input })
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied: 1 created') })
  const drifted = await zael(['diff', '--prune', '-f', '-'], { environment, input: exported })
  expect(drifted).toMatchObject({ code: 6, stdout: expect.stringContaining('- entity key-new') })
  const pruned = await zael(['apply', '--prune', '--yes', '-f', '-'], { environment, input: exported })
  expect(pruned).toMatchObject({ code: 0, stdout: expect.stringContaining('1 deleted') })
  expect((await zael(['export'], { environment })).stdout).toBe(exported)
})

test('serve serves until it is interrupted, and load measures it', async () => {
  const environment = { DYNAMODB_PORT: '0', LOG_LEVEL: 'warn', STORE_DEADLINE_MS: '30000' }
  const server = startZael(['serve', '--port', '0'], { environment })
  await new Promise<void>((resolve, reject) => {
    server.child.stdout.on('data', () => server.output.stdout.includes('/api/usage/') && resolve())
    server.child.once('close', () => reject(new Error(server.output.stderr)))
  })
  const url = /API +(\S+)/.exec(server.output.stdout)?.[1] ?? ''
  const measured = await zael(['load', '-n', url, '-k', 'key-alice', '-d', '0.2', '--check', '--json'])
  expect(measured).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(measured.stdout).total.success).toBeGreaterThan(0)
  server.child.kill('SIGINT')
  expect(await server.ended).toMatchObject({ code: 0 })
})

test('serve ends with the shell by which npx has started it', async () => {
  const program = join(inject('programs'), 'zael.mjs')
  const shell = spawn('sh', ['-c', '"$0" "$1" serve --port 0; exit', process.execPath, program], {
    env: { PATH: process.env.PATH, DYNAMODB_PORT: '0', LOG_LEVEL: 'silent', npm_lifecycle_event: 'npx' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  closing.push(() => shell.kill('SIGKILL'))
  // it is open for as long as the server
  const closed = once(shell.stdout, 'close')
  let printed = ''
  await new Promise<void>((resolve) => {
    shell.stdout.on('data', (text: Buffer) => {
      printed += text
      if (printed.includes('/api/usage/')) resolve()
    })
  })
  shell.kill('SIGKILL')
  await closed
  expect(shell.signalCode).toBe('SIGKILL')
})

test.each([
  [['serve', '--no-such-option'], {}, 2, /^zael: Unknown option '--no-such-option'; the options are --help/],
  [['serve'], { PORT: 'x' }, 2, /^zael: PORT must be a whole number/],
  [['load'], {}, 2, /^zael: --api-keys must name/],
  [['load', '-k', 'key', '-n', 'http://127.0.0.1:9'], {}, 1, /^zael: no node can be reached/],
  [
    ['whoami', '--url', 'http://127.0.0.1:2'],
    {},
    5,
    /^zael: http:\/\/127\.0\.0\.1:2 cannot be reached: ECONNREFUSED/,
  ],
])('%j with %j fails with %d and one line', async (args, environment, code, message) => {
  const result = await zael(args, { environment })
  expect(result).toMatchObject({ code, stdout: '' })
  expect(result.stderr).toMatch(message)
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1)
})
