import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installNode, NODE_VERSIONS } from '../node-versions.ts'
import { installOnce, installVenv } from '../python-venv.ts'
import { runCommand, ScriptError } from '../run-command.ts'
import type { ClientProgram } from './clients.ts'

const DIRECTORY = fileURLToPath(new URL('../../test/compatibility', import.meta.url))
const MODULES = join(DIRECTORY, 'node_modules')
const VENV = join(DIRECTORY, '.venv')
const REQUIREMENTS = join(DIRECTORY, 'requirements.txt')

/** The programs that run the checks, by language. */
export type Interpreters = Readonly<Record<ClientProgram['language'], string>>

export const programOf = ({ language, file }: ClientProgram): string => join(DIRECTORY, language, file)

/** Installs the clients once, and again when a version changes. */
export const installClients = async (): Promise<Interpreters> => {
  const node = await nodeForClients()
  await installOnce(MODULES, join(DIRECTORY, 'package-lock.json'), async () => {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    await runCommand('npm', ['ci', ...options], { cwd: DIRECTORY })
  })
  const venv = await installVenv(VENV, REQUIREMENTS)
  return { javascript: node, python: venv.program('python') }
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
