import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'

/** Installs the Python packages, in a quarter of pip's time. */
const UV = 'uv==0.9.18'

/** Runs `install` unless `directory` was installed from the present contents of `versions`. */
export const installOnce = async (
  directory: string,
  versions: string,
  install: () => Promise<void>,
): Promise<void> => {
  const stamp = join(directory, '.installed')
  const current = createHash('sha256').update(readFileSync(versions)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === current) return
  console.log(`Installing ${versions}`)
  await rm(directory, { recursive: true, force: true })
  await install()
  writeFileSync(stamp, current)
}

/** A directory with Python and the packages of a file of requirements. */
export interface Venv {
  /** The path of a program in it, such as `python`. */
  program(name: string): string
  /** Installs further packages: their names, or paths of wheels. */
  add(packages: readonly string[]): Promise<void>
}

/** Makes the venv `directory` once, and again when a version in `requirements` changes. */
export const installVenv = async (directory: string, requirements: string): Promise<Venv> => {
  const venv = venvIn(directory)
  await installOnce(directory, requirements, async () => {
    await runCommand('python3', ['-m', 'venv', directory])
    await runCommand(venv.program('python'), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
      UV,
    ])
    await venv.add(['--requirements', requirements])
  })
  return venv
}

const venvIn = (directory: string): Venv => {
  const program = (name: string): string => join(directory, 'bin', name)
  return {
    program,
    add: (packages) =>
      runCommand(program('python'), ['-m', 'uv', 'pip', 'install', '--quiet', ...packages], {
        // uses the system's certificates, as pip and npm may be configured to
        env: { ...process.env, VIRTUAL_ENV: directory, UV_NATIVE_TLS: '1' },
      }),
  }
}
