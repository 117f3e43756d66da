import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { buildSync, Metafile } from 'esbuild'
import { bundleDashboardSync } from './bundle-dashboard.ts'

/** The source of one function. */
export interface LambdaSource {
  /** The file that exports `handler`, from the project's root: `lambdas/api.ts`. */
  readonly entry: string
  /** Files that the code reads: the package and the file in it, by their name beside the bundle. */
  readonly assets?: Readonly<Record<string, readonly [module: string, file: string]>>
  /** The directory of the dashboard's files, beside the bundle. */
  readonly page?: string
}

/** The API's code, and the files of its docs pages and its dashboard, which it reads on request. */
export const API_SOURCE: LambdaSource = {
  entry: 'lambdas/api.ts',
  page: 'assets/dashboard',
  assets: {
    'assets/swagger-ui.css': ['swagger-ui-dist', 'swagger-ui.css'],
    'assets/swagger-ui-bundle.js': ['swagger-ui-dist', 'swagger-ui-bundle.js'],
    'assets/favicon-32x32.png': ['swagger-ui-dist', 'favicon-32x32.png'],
    'assets/redoc.standalone.js': ['redoc', 'bundles/redoc.standalone.js'],
  },
}

export const AGGREGATOR_SOURCE: LambdaSource = { entry: 'lambdas/aggregator.ts' }

export const AUTHORIZER_SOURCE: LambdaSource = { entry: 'lambdas/authorizer.ts' }

/** The directory of a function's finished bundle, below `root`. */
export const bundleDirectory = (root: string, { entry }: LambdaSource): string =>
  join(root, dirname(entry), basename(entry, '.ts'))

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

const versionOf = (packageJson: { readonly version: string }): string => packageJson.version

/**
 * Bundles a function into `outputDir`: `index.mjs`, one file per dynamic import, so that a start loads only what every call
 * needs, source maps, and the assets. The syntax is that of Node 20, because emulators run Lambdas with the machine's Node.
 * The SDK is included, because emulators that run Lambdas as plain processes provide none.
 */
export const bundleLambda = (source: LambdaSource, outputDir: string): Metafile => {
  // Loaded here: the published package contains finished bundles and needs no bundler.
  const esbuild: { readonly buildSync: typeof buildSync } = require('esbuild')
  const { metafile } = esbuild.buildSync({
    absWorkingDir: PROJECT_ROOT,
    entryPoints: { index: source.entry },
    outdir: outputDir,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    define: { ZAEL_VERSION: JSON.stringify(versionOf(require('../package.json'))) },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  })
  for (const [name, [module, file]] of Object.entries(source.assets ?? {})) {
    mkdirSync(dirname(join(outputDir, name)), { recursive: true })
    copyFileSync(join(require.resolve(`${module}/package.json`), '..', file), join(outputDir, name))
  }
  if (source.page !== undefined) writePage(join(outputDir, source.page))
  writeFileSync(join(outputDir, 'package.json'), '{ "type": "module" }\n')
  return metafile
}

const writePage = (directory: string): void => {
  mkdirSync(directory, { recursive: true })
  for (const [name, bytes] of bundleDashboardSync()) writeFileSync(join(directory, name), bytes)
}

/**
 * The batches of stream records for the aggregator: all records of the window, up to Lambda's limit (10,000 records, 6 MB). A
 * batch writes each bucket's hour once, so larger batches need fewer writes.
 */
export const STREAM_BATCHES = { size: 10_000, windowSeconds: 5 } as const
