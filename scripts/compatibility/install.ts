import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installNode, NODE_VERSIONS } from '../node-versions.ts'
import { runCommand, ScriptError } from '../run-command.ts'
import type { ClientProgram } from './clients.ts'

/** Installs the Python packages, in a quarter of pip's time. */
const UV = 'uv==0.9.18'

const DIRECTORY = fileURLToPath(new URL('../../test/compatibility', import.meta.url))
const MODULES = join(DIRECTORY, 'node_modules')
const VENV = join(DIRECTORY, '.venv')
const REQUIREMENTS = join(DIRECTORY, 'requirements.txt')
const PYTHON = join(VENV, 'bin', 'python')

/** The programs that run the checks, by language. */
export type Interpreters = Readonly<Record<ClientProgram['language'], string>>

export const programOf = ({ language, file }: ClientProgram): string => join(DIRECTORY, language, file)

/** Installs the clients once, and again when a version changes. */
export const installClients = async (): Promise<Interpreters> => {
  const node = await nodeForClients()
  await once(MODULES, join(DIRECTORY, 'package-lock.json'), async () => {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    await runCommand('npm', ['ci', ...options], { cwd: DIRECTORY })
  })
  await once(VENV, REQUIREMENTS, async () => {
    await runCommand('python3', ['-m', 'venv', VENV])
    await runCommand(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', UV])
    const options = ['--quiet', '--requirements', REQUIREMENTS]
    await runCommand(PYTHON, ['-m', 'uv', 'pip', 'install', ...options], {
      // uses the system's certificates, as pip and npm may be configured to
      env: { ...process.env, VIRTUAL_ENV: VENV, UV_NATIVE_TLS: '1' },
    })
  })
  return { javascript: node, python: PYTHON }
}

/** Runs `install` unless `directory` was installed from the present contents of `versions`. */
const once = async (directory: string, versions: string, install: () => Promise<void>): Promise<void> => {
  const stamp = join(directory, '.installed')
  const current = createHash('sha256').update(readFileSync(versions)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === current) return
  console.log(`Installing ${versions}`)
  await rm(directory, { recursive: true, force: true })
  await install()
  writeFileSync(stamp, current)
}

/** The current clients require Node 22. */
const nodeForClients = async (): Promise<string> => {
  const [major = 0] = process.versions.node.split('.').map(Number)
  return major >= 22 ? process.execPath : join(await installNode(NODE_VERSIONS[24] ?? ''), 'node')
}

/** The installed version of a client's package. */
export const versionOf = ({ language, package: name }: ClientProgram): string => {
  if (language === 'javascript') {
    const { version }: { version: string } = JSON.parse(
      readFileSync(join(MODULES, name, 'package.json'), 'utf8'),
    )
    return version
  }
  const lines = readFileSync(REQUIREMENTS, 'utf8').split('\n')
  const pinned = lines.find((line) => line.startsWith(`${name}==`))
  if (pinned === undefined) throw new ScriptError(`${REQUIREMENTS} does not contain ${name}`)
  return pinned.slice(name.length + 2)
}
