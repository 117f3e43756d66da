import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ScriptError } from '../run-command.ts'

/** The properties of the machine that LocalStack without Docker depends on. */
export interface Machine {
  /** `linux-x64`. */
  readonly platform: string
  /** The output of a command. Undefined: it cannot be run, or fails. */
  output(command: string, args: readonly string[]): string | undefined
  /** Pythons that may not be in the search path, best first. */
  readonly pythons: readonly string[]
}

const output: Machine['output'] = (command, args) => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}

/** The Pythons that pyenv has built: its command `python3.13` runs only where that version is selected. */
const pyenvPythons = (): readonly string[] => {
  const root = output('pyenv', ['root'])?.trim()
  if (root === undefined) return []
  const versions = join(root, 'versions')
  try {
    return readdirSync(versions)
      .filter((version) => /^3\.13\./.test(version))
      .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((version) => join(versions, version, 'bin', 'python3'))
  } catch {
    return []
  }
}

export const thisMachine = (env: NodeJS.ProcessEnv = process.env): Machine => ({
  platform: `${process.platform}-${process.arch}`,
  output,
  pythons: [...(env.PYTHON ? [env.PYTHON] : []), ...pyenvPythons()],
})

/** LocalStack 4.14.0 does not run on 3.12, and its packages of that date have no builds for 3.14. */
const CHECK_PYTHON = 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))'

const findPython = ({ output, pythons }: Machine): string | undefined =>
  [...pythons, 'python3.13', 'python3'].find((python) => output(python, ['-c', CHECK_PYTHON]) !== undefined)

const hasJava = ({ output }: Machine): boolean => {
  const major = /^\S+ (\d+)/.exec(output('java', ['--version']) ?? '')?.[1]
  return Number(major) >= 17
}

interface Requirement {
  readonly name: string
  /** The Debian packages that provide it. */
  readonly packages: readonly string[]
  isMet(machine: Machine): boolean
}

const REQUIREMENTS: readonly Requirement[] = [
  { name: 'Linux on x64', packages: [], isMet: ({ platform }) => platform === 'linux-x64' },
  {
    name: 'Python 3.13 with venv (on the PATH, from pyenv, or named in PYTHON)',
    packages: ['python3.13', 'python3.13-venv'],
    isMet: (machine) => findPython(machine) !== undefined,
  },
  { name: 'Java 17 or newer', packages: ['default-jre-headless'], isMet: hasJava },
  { name: 'Maven', packages: ['maven'], isMet: ({ output }) => output('mvn', ['--version']) !== undefined },
]

const missingOn = (machine: Machine): readonly Requirement[] =>
  REQUIREMENTS.filter(({ isMet }) => !isMet(machine))

/** The Debian packages that would provide what is missing. Not every release has all of them. */
export const missingPackages = (machine: Machine): readonly string[] =>
  missingOn(machine).flatMap(({ packages }) => packages)

/** The Python that runs LocalStack. Throws `ScriptError`, in one line that lists everything that is missing. */
export const requirePython = (machine: Machine): string => {
  const python = findPython(machine)
  const missing = missingOn(machine).map(({ name }) => name)
  if (python !== undefined && missing.length === 0) return python
  throw new ScriptError(
    `LocalStack without Docker needs ${missing.join(', ')}; npm run ministack needs only Python 3`,
  )
}
