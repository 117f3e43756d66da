import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine, UserError } from '../src/command-line/command-line.ts'
import { runCommand } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The versions besides the oldest supported one, which runs everything else. */
const VERSIONS: Readonly<Record<string, string>> = { 22: '22.23.5', 24: '24.22.3' }

/** Platforms whose Node is a separate package, named after them. */
const PLATFORMS = ['linux-x64', 'linux-arm64']

const HELP = `npm run test:node -- VERSION [options]

Runs the unit tests on Node 22 or 24, which is installed into .node at the first run. On Linux, x64 and arm64.

  --report FILE   write the result there, as vitest's JSON reporter does
  -h, --help      this text`

/** Installs a Node below `.node`, unless it is installed. Returns the directory of its executable. */
const installNode = async (version: string): Promise<string> => {
  const platform = `${process.platform}-${process.arch}`
  if (!PLATFORMS.includes(platform)) {
    throw new UserError(`Node can be installed here on ${PLATFORMS.join(' and ')}, not on ${platform}`)
  }
  const prefix = join(ROOT, '.node', version)
  const bin = join(prefix, 'node_modules', `node-${platform}`, 'bin')
  if (existsSync(join(bin, 'node'))) return bin
  await mkdir(prefix, { recursive: true })
  const options = ['--prefix', prefix, '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund']
  await runCommand('npm', ['install', ...options, `node-${platform}@${version}`], { cwd: prefix })
  return bin
}

const reporters = (report: string | undefined): readonly string[] =>
  report === undefined ? [] : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]

await runCommandLine(
  {
    command: 'npm run test:node',
    help: HELP,
    options: { report: { type: 'string' } },
    allowPositionals: true,
  },
  async ({ values, positionals }) => {
    const version = VERSIONS[positionals[0] ?? '']
    if (version === undefined || positionals.length > 1) {
      throw new UserError(`the version must be one of ${Object.keys(VERSIONS).join(', ')}`)
    }
    const bin = await installNode(version)
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
    await runCommand(join(bin, 'node'), [vitest, 'run', '--project', 'unit', ...reporters(values.report)], {
      cwd: ROOT,
      env,
    })
  },
)
