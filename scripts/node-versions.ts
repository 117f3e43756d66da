import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../src/command-line/command-line.ts'
import { runCommand } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The versions besides the oldest supported one, which runs everything else. */
export const NODE_VERSIONS: Readonly<Record<string, string>> = { 22: '22.23.5', 24: '24.22.3' }

/** Platforms whose Node is a separate package, named after them. */
const PLATFORMS = ['linux-x64', 'linux-arm64']

/** Installs a Node below `.node`, unless it is installed. Returns the directory of its executable. */
export const installNode = async (version: string): Promise<string> => {
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
