// Runs a program from its bundle, which is made first if the sources have changed: node scripts/run-bundled.mjs serve --help
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { currentBundle, ROOT } from './bundle-cache.mjs'

/** Bundling takes less on a quiet machine. */
const NOTICE_AFTER_MS = 1_000

const say = (line) => process.stderr.write(`zael: ${line}\n`)

const newBundle = async () => {
  const notice = setTimeout(say, NOTICE_AFTER_MS, 'bundling the sources; the next start is faster')
  try {
    const { bundlePrograms } = await import('./bundle-programs.ts')
    return await bundlePrograms()
  } finally {
    clearTimeout(notice)
  }
}

/** The module to run: of a bundle or, if none can be written, of the sources, with TypeScript registered. */
const moduleOf = async (program) => {
  const current = currentBundle()
  if (current !== undefined) return join(current, `${program}.mjs`)
  const { register } = await import('tsx/esm/api')
  const unregister = register()
  try {
    const bundle = await newBundle()
    await unregister()
    return join(bundle, `${program}.mjs`)
  } catch (error) {
    say(`the sources are not bundled, so every start takes longer: ${String(error.message).split('\n')[0]}`)
    // for the processes that the program starts
    process.execArgv.push('--import', 'tsx')
    return join(ROOT, 'bin', `${program}.ts`)
  }
}

const [node, , program, ...args] = process.argv
const startedBy = process.ppid
const module = await moduleOf(program)
// a server that npm starts ends with it, and detects this by its parent, which must not have ended before
if (process.env.npm_lifecycle_event !== undefined && process.ppid !== startedBy) process.exit(1)
process.argv = [node, module, ...args]
await import(pathToFileURL(module).href)
