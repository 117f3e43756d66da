import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync, type Metafile } from 'esbuild'

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What becomes the code of one function. */
export interface LambdaSource {
  /** The file that exports `handler`, from the project's root: `lambdas/api.ts`. */
  readonly entry: string
  /** Files that the code reads by itself, by the name they have beside the bundle. */
  readonly assets?: Readonly<Record<string, string>>
}

/**
 * Bundles a function into `outputDir`: `index.mjs`, a file for each thing that is imported dynamically, so that only
 * what every call needs is loaded at start, source maps, and the assets. Node 20 syntax: emulators run Lambdas under
 * the machine's own Node. The SDK is in the bundle: where Lambdas run as plain processes there is no other.
 */
export const bundleLambda = (source: LambdaSource, outputDir: string): Metafile => {
  const { metafile } = buildSync({
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
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  })
  for (const [name, path] of Object.entries(source.assets ?? {})) {
    mkdirSync(dirname(join(outputDir, name)), { recursive: true })
    copyFileSync(path, join(outputDir, name))
  }
  writeFileSync(join(outputDir, 'package.json'), '{ "type": "module" }\n')
  return metafile
}

/** The bundle as an asset of the stack, made by the esbuild of this project: no Docker. */
export const lambdaCode = (source: LambdaSource): Code =>
  Code.fromAsset(join(PROJECT_ROOT, dirname(source.entry)), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('not-used'),
      // Tells the bundles apart where the CDK looks for one it has made already.
      command: [source.entry],
      local: {
        tryBundle: (outputDir: string) => {
          bundleLambda(source, outputDir)
          return true
        },
      },
    },
  })
