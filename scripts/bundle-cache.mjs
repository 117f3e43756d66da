// Plain JavaScript, because `npm start` reads it before any loader of TypeScript.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Inside the repository, so that packages that are not bundled are resolved. */
export const CACHE = join(ROOT, 'node_modules/.cache/zael')

const RECORD = join(CACHE, 'current.json')

/** What a bundle depends on beside its modules: the options of the bundler, and which packages are installed. */
const ALSO_READ = [
  'package.json',
  'tsconfig.json',
  'scripts/bundle-cache.mjs',
  'scripts/bundle-programs.ts',
  'node_modules/.package-lock.json',
]

/** How far the timestamps of a file system may be behind the clock. */
const CLOCK_LAG_MS = 100

/** A server that still runs loads parts of its bundle later, such as the tokenizer. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000

const statOf = (path) => statSync(resolve(ROOT, path), { throwIfNoEntry: false })

/**
 * Every change of a source changes its `ctime`, even if its size and its `mtime` are restored. For packages it is not compared:
 * hard links to them change it, and an installation writes the list of packages.
 */
const timesOf = (path, { mtimeMs, ctimeMs }) =>
  path.startsWith('node_modules/') ? [mtimeMs] : [mtimeMs, ctimeMs]

const stampOf = (path) => {
  const stat = statOf(path)
  return stat === undefined ? 'missing' : [stat.size, ...timesOf(path, stat)].join(' ')
}

const changedMs = (path) => {
  const stat = statOf(path)
  return stat === undefined ? 0 : Math.max(...timesOf(path, stat))
}

const readRecord = () => {
  try {
    return JSON.parse(readFileSync(RECORD, 'utf8')) ?? undefined
  } catch {
    return undefined
  }
}

const isCurrent = ({ root, stamps }) =>
  root === ROOT && Object.entries(stamps).every(([path, stamp]) => stampOf(path) === stamp)

export const currentBundle = () => {
  const record = readRecord()
  return record !== undefined && isCurrent(record) ? join(CACHE, record.directory) : undefined
}

export const newBundle = () => {
  const directory = join(CACHE, `${Date.now().toString(36)}-${process.pid}`)
  mkdirSync(directory, { recursive: true })
  return directory
}

export const keepBundle = (directory, { inputs, outputs }, startedMs) => {
  const paths = [...ALSO_READ, ...inputs]
  // a bundle of which a file is lost or cut off, as after a power failure, would fail at every start
  const stamps = Object.fromEntries([...paths, ...outputs].map((path) => [path, stampOf(path)]))
  if (paths.some((path) => changedMs(path) > startedMs - CLOCK_LAG_MS)) return
  removeOldBundles([directory, join(CACHE, readRecord()?.directory ?? '')])
  const unfinished = `${RECORD}.${process.pid}`
  writeFileSync(
    unfinished,
    JSON.stringify({ root: ROOT, directory: directory.slice(CACHE.length + 1), stamps }),
  )
  renameSync(unfinished, RECORD)
}

const removeOldBundles = (kept) => {
  for (const { name } of readdirSync(CACHE, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    const directory = join(CACHE, name)
    if (kept.includes(directory)) continue
    if (Date.now() - (statOf(directory)?.mtimeMs ?? 0) > KEPT_MS)
      rmSync(directory, { recursive: true, force: true })
  }
}
