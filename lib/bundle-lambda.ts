import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { buildSync, Metafile } from 'esbuild'
import { bundlePageSync } from './bundle-page.ts'
import type { LambdaSource } from './lambda-sources.ts'

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

const versionOf = (packageJson: { readonly version: string }): string => packageJson.version

/**
 * Bundles a function into `outputDir`: `index.mjs`, a file for each thing that is imported dynamically, so that only
 * what every call needs is loaded at start, source maps, and the assets. Node 20 syntax: emulators run Lambdas under
 * the machine's own Node. The SDK is in the bundle: where Lambdas run as plain processes there is no other.
 */
export const bundleLambda = (source: LambdaSource, outputDir: string): Metafile => {
  // Loaded here, as the published package holds finished bundles and needs no bundler.
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
  for (const [name, bytes] of bundlePageSync()) writeFileSync(join(directory, name), bytes)
}
