import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import { installVenv, type Venv } from '../python-venv.ts'
import { runCommand, ScriptError } from '../run-command.ts'
import { clientDocument } from './document.ts'

/** The sources of the Python package. */
export const CLIENT = fileURLToPath(new URL('../../clients/python', import.meta.url))

const GENERATED = join(CLIENT, 'src', 'zael', 'rest')
const DIST = join(CLIENT, 'dist')

/** The generator, the build and the checks. */
export const installTools = (): Promise<Venv> =>
  installVenv(join(CLIENT, '.venv'), join(CLIENT, 'requirements.txt'))

/** The generated part of the package, from the document that the server at `url` serves. */
export const generate = async (tools: Venv, url: string): Promise<void> => {
  const response = await fetch(`${url}/openapi.json`)
  if (!response.ok) throw new ScriptError(`${url}/openapi.json returned ${response.status}`)
  const directory = await mkdtemp(join(tmpdir(), 'zael-openapi-'))
  try {
    const document = join(directory, 'openapi.json')
    writeFileSync(document, JSON.stringify(clientDocument(Object(await response.json()))))
    await rm(GENERATED, { recursive: true, force: true })
    const { PATH } = process.env
    // a warning is a part of the document that the client does not contain
    const options = ['--meta', 'none', '--output-path', GENERATED, '--fail-on-warning']
    const files = [
      '--config',
      join(CLIENT, 'generator.yaml'),
      '--custom-template-path',
      join(CLIENT, 'templates'),
    ]
    await runCommand(
      tools.program('openapi-python-client'),
      ['generate', '--path', document, ...options, ...files],
      { env: { ...process.env, PATH: `${join(CLIENT, '.venv', 'bin')}:${PATH}` } },
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Builds the sdist, and from it the wheel. Returns the path of the wheel. */
export const buildWheel = async (tools: Venv): Promise<string> => {
  requireSameVersion()
  await rm(DIST, { recursive: true, force: true })
  await runCommand(tools.program('python'), ['-m', 'build', '--no-isolation', '--outdir', DIST, CLIENT])
  const wheel = existsSync(DIST) ? readdirSync(DIST).find((name) => name.endsWith('.whl')) : undefined
  if (wheel === undefined) throw new ScriptError(`${DIST} contains no wheel`)
  return join(DIST, wheel)
}

/** Throws `ScriptError` if the versions of the two packages differ. */
const requireSameVersion = (): void => {
  const project = readFileSync(join(CLIENT, 'pyproject.toml'), 'utf8')
  const [, version] = /^version = "(.+)"$/m.exec(project) ?? []
  if (version === packageJson.version) return
  throw new ScriptError(
    `clients/python/pyproject.toml has version ${version}, and package.json has ${packageJson.version}`,
  )
}
