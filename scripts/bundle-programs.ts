import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin, stop } from 'esbuild'
import { currentBundle, keepBundle, newBundle, ROOT } from './bundle-cache.mjs'

/** The bundled programs, and the modules that they start in processes and threads of their own. */
const ENTRIES = {
  serve: 'bin/serve.ts',
  worker: 'bin/workers/worker.ts',
  'engine-worker': 'src/embedded/engine-worker.ts',
  load: 'bin/load.ts',
  'load-process': 'bin/load/load-process.ts',
  zael: 'bin/zael.ts',
} as const

/** Packages with binaries, with files that they find by their own place, or so large that they are loaded on first use. */
const NOT_BUNDLED = ['dynalite', 'esbuild', 'gpt-tokenizer', 'undici']

/** CommonJS packages require Node's modules with `require`, which ES modules do not have. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** `new URL('./worker.ts', import.meta.url)` */
const STARTED_MODULE = /new URL\('\.\/([\w-]+)\.(?:ts|mjs)', import\.meta\.url\)/

/**
 * Resolves files beside the sources, except that a module of `ENTRIES` is started from the bundle. A file of ours has at most
 * one such module.
 */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (relative(ROOT, path).includes('node_modules')) return undefined
      const [before = '', started, after = ''] = (await readFile(path, 'utf8')).split(STARTED_MODULE)
      const contents = [before, after].map((text) => text.replaceAll('import.meta.url', urlText(path)))
      return { contents: contents.join(started === undefined ? '' : bundledUrl(started)), loader: 'ts' }
    })
  },
}

const urlText = (path: string): string => JSON.stringify(pathToFileURL(path).href)

const bundledUrl = (name: string): string => `new URL('./${name}.mjs', import.meta.url)`

/**
 * Bundles the programs, which then start in a fraction of the time that `--import tsx` takes. Returns the directory of the
 * bundle: `serve.mjs`, `load.mjs`, `zael.mjs`, and what they load. Throws the system's error if the cache cannot be written.
 */
export const bundlePrograms = async (): Promise<string> => {
  const startedMs = Date.now()
  const directory = newBundle()
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: NOT_BUNDLED,
    banner: { js: REQUIRE },
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [sourceUrls],
  })
  // its process would run as long as this one
  await stop()
  const [inputs, outputs] = [Object.keys(metafile.inputs), Object.keys(metafile.outputs)]
  keepBundle(directory, { inputs, outputs }, startedMs)
  return directory
}

/** The directory of the current bundle, which is made if there is none. */
export const bundledPrograms = async (): Promise<string> => currentBundle() ?? bundlePrograms()
