import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { ADMIN_TOKEN, startEmbeddedServer } from './embedded-server.ts'
import { type FuzzSum, sumFuzzReports } from './reports.ts'
import { CommandFailed, runCommand, ScriptError } from './run-command.ts'

const VERSION = '4.32.5'
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const VENV = join(ROOT, '.schemathesis')
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }
const CALLER = 'fuzz-caller'
/**
 * The caller, the operations and the maximum time of each run. The administrator changes what the others need, so it is
 * last.
 */
const ROLES = [
  { name: 'caller', seconds: 45, operations: ['--include-path-regex', '^/v1/'] },
  { name: 'viewer', seconds: 30, operations: ['--include-path-regex', '^/api/', '--include-method', 'GET'] },
  { name: 'admin', seconds: 100, operations: [] },
] as const

/** Installs schemathesis from PyPI, once. */
const install = async (): Promise<void> => {
  const stamp = join(VENV, 'version')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === VERSION) return
  console.log(`Installing schemathesis ${VERSION} into .schemathesis`)
  await runCommand('python3', ['-m', 'venv', VENV])
  await runCommand(join(VENV, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`])
  writeFileSync(stamp, VERSION)
}

const write = async (method: 'POST' | 'PUT', url: string, body: object): Promise<void> => {
  const headers = { ...ADMIN, 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new ScriptError(`${method} ${url} returned ${response.status}`)
}

/** Requests to models are answered here, whatever upstreams the administrator adds. */
const makeDefaultUpstream = (url: string): Promise<void> =>
  write('PUT', `${url}/api/upstreams/default`, { kind: 'simulated' })

/** A caller with a key whose limits are never reached. */
const makeCaller = async (url: string): Promise<string> => {
  await write('POST', `${url}/api/entities`, { entity_id: CALLER, name: CALLER })
  await write('PUT', `${url}/api/limits/${CALLER}`, {
    limits: ['rpm', 'tpm'].map((name) => ({ name, limit: 1_000_000_000, per: 'minute' })),
  })
  const secret = `fuzz-${crypto.randomUUID()}`
  await write('POST', `${url}/api/entities/${CALLER}/keys`, { secret })
  return secret
}

const headersOf = (role: (typeof ROLES)[number]['name'], secret: string): readonly string[] => {
  if (role === 'caller') return [`X-API-Key: ${secret}`]
  if (role === 'viewer') return ['Authorization: Bearer dev-viewer']
  return [`Authorization: ${ADMIN.authorization}`, `X-Zael-Entity: ${CALLER}`]
}

const fuzz = async (
  url: string,
  role: (typeof ROLES)[number],
  headers: readonly string[],
  report: string,
): Promise<void> => {
  const options = [
    ...['--phases', 'coverage,fuzzing', '--max-examples', '10', '--generation-deterministic', '--no-shrink'],
    ...['--generation-with-security-parameters', 'false', '--max-time', String(role.seconds)],
    // no request fails because the machine is busy
    ...['--request-timeout', '120'],
    ...['--warnings', 'off', '--continue-on-failure', '--report', 'json', '--report-json-path', report],
    // requests without a key reach the limit of failed authentications, and its 429 is not the documented 401
    ...['--exclude-checks', 'ignored_auth'],
    // event streams do not end
    ...['--exclude-path', '/api/dashboard/stream'],
    ...headers.flatMap((header) => ['--header', header]),
    ...role.operations,
  ]
  const config = ['--config-file', join(ROOT, 'schemathesis.toml'), '--no-color']
  try {
    await runCommand(join(VENV, 'bin', 'st'), [...config, 'run', `${url}/openapi.json`, ...options])
  } catch (error) {
    // the failures are counted from its report
    if (!(error instanceof CommandFailed)) throw error
  }
}

const run = async (reportPath: string | undefined): Promise<FuzzSum> => {
  await install()
  const directory = await mkdtemp(join(tmpdir(), 'zael-fuzz-'))
  const server = await startEmbeddedServer()
  const { url } = server
  try {
    await makeDefaultUpstream(url)
    const secret = await makeCaller(url)
    const reports = ROLES.map((role) => ({ role, report: join(directory, `${role.name}.json`) }))
    for (const { role, report } of reports) {
      console.log(`\nAs ${role.name}`)
      await fuzz(url, role, headersOf(role.name, secret), report)
      server.requireRunning()
    }
    const sum = sumFuzzReports(reports.map(({ report }) => report))
    if (reportPath !== undefined) writeFileSync(reportPath, JSON.stringify(sum))
    return sum
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

const HELP = `npm run test:api [-- --report <file>]

Starts an embedded zael on free ports and sends it requests generated by schemathesis from its OpenAPI document, as a caller, as a
viewer and as an admin. The first run installs schemathesis into .schemathesis, which needs Python 3.`

await runCommandLine(
  { command: 'npm run test:api', help: HELP, options: { report: { type: 'string' } } },
  async ({ values }) => {
    const { numPassedTests, numFailedTests, success } = await run(values.report)
    console.log(`\n${numPassedTests} passed, ${numFailedTests} failed`)
    if (!success) process.exitCode = 1
  },
)
