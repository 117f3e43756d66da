import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { bundleLambda } from './bundle-lambda.ts'
import type { LambdaSource } from './lambda-sources.ts'

/** The project's root in a checkout, `dist` in the published package. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The directory of a function's finished bundle, below `root`. */
export const bundleDirectory = (root: string, { entry }: LambdaSource): string =>
  join(root, dirname(entry), basename(entry, '.ts'))

/**
 * A function's code as an asset of the stack: the finished bundle that the published package holds; in a checkout one that
 * the esbuild of this project makes. No Docker.
 */
export const lambdaCode = (source: LambdaSource): Code => {
  const finished = bundleDirectory(ROOT, source)
  return existsSync(join(finished, 'index.mjs')) ? Code.fromAsset(finished) : bundledCode(source)
}

const bundledCode = (source: LambdaSource): Code =>
  Code.fromAsset(join(ROOT, dirname(source.entry)), {
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
