import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin, stop } from 'esbuild'
import packageJson from '../package.json' with { type: 'json' }

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The program, and the modules that it starts in processes and threads of their own. */
const ENTRIES = {
  zael: 'bin/zael.ts',
  worker: 'bin/workers/worker.ts',
  'engine-worker': 'src/embedded/engine-worker.ts',
  'load-process': 'bin/load/load-process.ts',
} as const

/** CommonJS packages require Node's modules with `require`, which ES modules do not have. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** A module that is started by its file: in the bundle it is an entry beside the others. */
const STARTED_MODULE = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g

/** The module of the largest file of the Lambda's bundle, which is not published twice. */
const TABLE = 'gpt-tokenizer/bpeRanks/o200k_base'
const TABLE_PATH = /gpt-tokenizer\/.*bpeRanks\/o200k_base\./

/** dynalite requires the module of each operation by its name; without the extension, the bundler does not find it. */
const OPERATION_MODULE = /require\('(\.\/(?:actions|validations)\/)' \+ action\)/g

/** What the bundle contains in place of modules that only work in a checkout. `table`: the file of `TABLE`. */
const inPackage = (table: string): Plugin => ({
  name: 'in-package',
  setup(bundler) {
    bundler.onResolve({ filter: new RegExp(`^${TABLE}$`) }, () => ({ path: table, external: true }))
    // its binary cannot be bundled, and is not needed in memory
    bundler.onResolve({ filter: /^level$/ }, () => ({ path: join(ROOT, 'src/embedded/level-on-demand.ts') }))
    bundler.onLoad({ filter: /[/\\]dynalite[/\\]index\.js$/ }, async ({ path }) => {
      const contents = (await readFile(path, 'utf8')).replaceAll(
        OPERATION_MODULE,
        "require('$1' + action + '.js')",
      )
      return { contents, loader: 'js' }
    })
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (relative(ROOT, path).includes('node_modules')) return undefined
      const contents = (await readFile(path, 'utf8')).replaceAll(
        STARTED_MODULE,
        "new URL('./$1.mjs', import.meta.url)",
      )
      return { contents, loader: 'ts' }
    })
  },
})

/** The file of the Lambda's bundle whose default export is the table, relative to `directory`. */
const tableFile = ({ outputs }: Metafile, directory: string): string => {
  const found = Object.entries(outputs).find(
    ([, { inputs, exports }]) =>
      exports.includes('default') && Object.keys(inputs).some((path) => TABLE_PATH.test(path)),
  )
  if (found === undefined) throw new Error(`no file of the Lambda's bundle exports ${TABLE}`)
  return relative(directory, join(ROOT, found[0]))
}

/**
 * Bundles the command `zael` for the package, with all that it needs: `zael.mjs`, what it starts, and a file per part that is
 * loaded on demand. Names stay readable in stack traces, which have no source maps. `lambda` is the bundle of the API's Lambda, with
 * which it shares files.
 */
export const bundleCommandLine = async (directory: string, lambda: Metafile): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    // bundles the repository's dashboard; the package has the finished files
    external: ['esbuild'],
    define: {
      ZAEL_VERSION: JSON.stringify(packageJson.version),
      ZAEL_ASSETS: JSON.stringify('../lambdas/api/assets'),
    },
    banner: { js: REQUIRE },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [inPackage(tableFile(lambda, directory))],
  })
  // its process would run as long as this one
  await stop()
  return metafile
}
