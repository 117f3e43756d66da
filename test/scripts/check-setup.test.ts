import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CHECK = 'scripts/check-setup.cjs'
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A clone of the repository without installed packages. */
const cloned = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-clone-'))
  closing.push(() => rm(directory, { recursive: true }))
  await mkdir(join(directory, 'scripts'))
  for (const file of ['package.json', CHECK]) await cp(join(ROOT, file), join(directory, file))
  return directory
}

const node = (directory: string, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('prints one line with the command to run if no packages are installed, before any import', async () => {
  const directory = await cloned()
  const args = ['-r', `./${CHECK}`, '--import', 'tsx', 'bin/serve.ts']
  expect(node(directory, args)).toEqual({
    status: 1,
    stdout: '',
    stderr: 'zael: the packages are not installed: run npm ci\n',
  })
})

test('prints one line with the required version of Node.js', async () => {
  const directory = await cloned()
  const older = "Object.defineProperty(process.versions, 'node', { value: '18.20.4' })"
  expect(node(directory, ['-e', `${older}; require('./${CHECK}')`])).toEqual({
    status: 1,
    stdout: '',
    stderr:
      'zael: Node.js 20.19 or later is needed, and this is 18.20.4: install it from https://nodejs.org\n',
  })
})

test('prints nothing if the setup is complete', () => {
  expect(node(ROOT, [CHECK])).toEqual({ status: 0, stdout: '', stderr: '' })
})

const scripts: Readonly<Record<string, string>> = packageJson.scripts
const NEEDS_PACKAGES = Object.keys(scripts).filter((name) => !/^(pre|format$)/.test(name))

test.each(NEEDS_PACKAGES)('npm run %s checks the setup first', (name) => {
  expect(`${scripts[`pre${name}`] ?? ''} ${scripts[name]}`).toContain(CHECK)
})
