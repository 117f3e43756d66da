import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const PROGRAMS = [
  'bin/zael.ts',
  'bin/load.ts',
  'bin/load/load-process.ts',
  'bin/workers/worker.ts',
  'src/embedded/engine-worker.ts',
]

/** A clone whose `serve` prints a word of another module, and its arguments. */
const cloned = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-clone-'))
  closing.push(() => rm(directory, { recursive: true }))
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  for (const file of [
    'package.json',
    'tsconfig.json',
    'scripts/bundle-cache.mjs',
    'scripts/bundle-programs.ts',
    'scripts/run-bundled.mjs',
  ])
    await cp(join(ROOT, file), join(directory, file))
  for (const path of PROGRAMS) await write(path, 'export {}')
  await write('bin/serve.ts', "import { word } from './word.ts'\nconsole.log(word, ...process.argv.slice(2))")
  await write('bin/word.ts', "export const word: string = 'one'")
  await write('node_modules/.package-lock.json', '{}')
  for (const name of ['esbuild', 'tsx'])
    await symlink(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name))
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/run-bundled.mjs', ...args], {
      cwd: directory,
      encoding: 'utf8',
    })
    return { status, stdout, stderr: stderr.replaceAll(/^zael: bundling .*\n/gm, '') }
  }
  const bundles = async (): Promise<readonly string[]> =>
    (await readdir(join(directory, 'node_modules/.cache/zael'))).filter((name) => !name.endsWith('.json'))
  return { directory, write, run, bundles }
}

const printed = (stdout: string) => ({ status: 0, stdout, stderr: '' })

test('a program is bundled once for as long as its sources and its packages are the same', async () => {
  const { directory, write, run, bundles } = await cloned()
  const dateBack = () => utimes(join(directory, 'bin/word.ts'), 1_700_000_000, 1_700_000_000)
  await dateBack()
  // files of the last 100 ms may still change, so the first bundle may be used only once
  run('serve')
  run('serve')
  const before = await bundles()
  expect(run('serve', '--port', '1')).toEqual(printed('one --port 1\n'))
  expect(await bundles()).toEqual(before)

  // with the same size and time
  await write('bin/word.ts', "export const word: string = 'two'")
  await dateBack()
  expect(run('serve')).toEqual(printed('two\n'))

  await write('node_modules/.package-lock.json', '{ }')
  run('serve')
  expect(await bundles()).toHaveLength(before.length + 2)
})

test.each(['', 'import'])('a bundle is made again if a file of it contains only "%s"', async (text) => {
  const { directory, write, run, bundles } = await cloned()
  await utimes(join(directory, 'bin/word.ts'), 1_700_000_000, 1_700_000_000)
  // files of the last 100 ms may still change, so the first bundle may be used only once
  run('serve')
  run('serve')
  const before = await bundles()
  for (const bundle of before) await write(`node_modules/.cache/zael/${bundle}/serve.mjs`, text)
  expect(run('serve')).toEqual(printed('one\n'))
  expect(await bundles()).toHaveLength(before.length + 1)
})

test.each(['null', '{', '{}'])('the programs are bundled again if the record is %s', async (record) => {
  const { write, run } = await cloned()
  await write('node_modules/.cache/zael/current.json', record)
  expect(run('serve')).toEqual(printed('one\n'))
})

test('a bundle of a file that may have changed meanwhile is used only once', async () => {
  const { directory, run, bundles } = await cloned()
  const future = Date.now() / 1000 + 3600
  await utimes(join(directory, 'bin/word.ts'), future, future)
  run('serve')
  expect(run('serve')).toEqual(printed('one\n'))
  expect(await bundles()).toHaveLength(2)
})

test('without a writable cache the sources are run, and a line says so', async () => {
  const { write, run } = await cloned()
  await write('node_modules/.cache', 'not a directory')
  const { status, stdout, stderr } = run('serve', '--help')
  expect([status, stdout]).toEqual([0, 'one --help\n'])
  expect(stderr).toMatch(/^zael: the sources are not bundled, so every start takes longer: ENOTDIR: .*\n$/)
})
