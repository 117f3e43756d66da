import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { runCommand, ScriptError } from '../run-command.ts'
import type { Consumer } from './packed-package.ts'

const EXAMPLE = 'examples/embedded-in-your-stack'
/** What each function of zael's must find in its asset. */
const BUNDLES: readonly (readonly string[])[] = [
  ['index.mjs', 'package.json'],
  ['index.mjs', 'package.json', 'assets/swagger-ui.css', 'assets/redoc.standalone.js'],
]

/** Synthesizes the example from the installed package: the bundles of zael's Lambdas must be in what would be deployed. */
export const synthesizeExample = async (root: string, consumer: Consumer): Promise<void> => {
  const { directory } = consumer
  for (const name of ['aws-cdk-lib', 'constructs']) await consumer.provide(name)
  await writeFile(join(directory, 'package-lock.json'), '{}\n')
  await mkdir(join(directory, 'stack'))
  await copyFile(join(root, EXAMPLE, 'orders-handler.ts'), join(directory, 'stack/orders-handler.ts'))
  await build({
    entryPoints: [join(root, EXAMPLE, 'app.ts')],
    outfile: join(directory, 'stack/app.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    tsconfigRaw: {},
    logLevel: 'warning',
  })
  const outdir = join(directory, 'cdk.out')
  const context = JSON.stringify({ 'aws:cdk:bundling-stacks': [] })
  await runCommand(process.execPath, ['stack/app.mjs'], {
    cwd: directory,
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: context },
  })
  await checkAssets(outdir)
  console.log('the example stack: synthesized from the package')
}

const checkAssets = async (outdir: string): Promise<void> => {
  const assets = (await readdir(outdir)).filter((name) => name.startsWith('asset.'))
  const contents = await Promise.all(
    assets.map((name) => readdir(join(outdir, name), { recursive: true }).catch((): string[] => [])),
  )
  const missing = BUNDLES.filter(
    (files) => !contents.some((held) => files.every((file) => held.includes(file))),
  )
  if (missing.length > 0) throw new ScriptError(`no asset of the stack holds ${missing.join(' and ')}`)
}
