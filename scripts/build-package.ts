import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Metafile } from 'esbuild'
import {
  AGGREGATOR_SOURCE,
  API_SOURCE,
  AUTHORIZER_SOURCE,
  bundleDirectory,
  bundleLambda,
  type LambdaSource,
} from '../lib/bundle-lambda.ts'
import packageJson from '../package.json' with { type: 'json' }
import { runCommandLine } from '../src/command-line/command-line.ts'
import { bundleCommandLine } from './bundle-command-line.ts'
import { createSbom, filesAtStart } from './bundle-contents.ts'
import { bundleServiceImage } from './bundle-service.ts'
import { runCommand } from './run-command.ts'
import { writeTemplates } from './templates/write-templates.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist')

/** The compiler leaves `.ts` in the imports of declarations; the installed package has no such files. */
const IMPORTED_SOURCE = /((?:from |import\()['"]\.{1,2}\/[^'"]+)\.ts(['"])/g

const compile = async (): Promise<void> => {
  await runCommand('npx', ['tsc', '-p', 'tsconfig.package.json'], { cwd: ROOT })
  const files = await readdir(DIST, { recursive: true })
  for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
    const text = await readFile(join(DIST, file), 'utf8')
    await writeFile(join(DIST, file), text.replace(IMPORTED_SOURCE, '$1.js$2'))
  }
}

/** The installed constructs deploy these bundles; a deployment from a checkout builds its own. */
const bundleFunction = (source: LambdaSource): Metafile => {
  const directory = bundleDirectory(DIST, source)
  const metafile = bundleLambda(source, directory)
  report(directory, metafile, 'index.mjs')
  return metafile
}

const report = (directory: string, metafile: Metafile, entry: string): void => {
  const kilobytes = filesAtStart(metafile, entry).reduce((sum, { bytes }) => sum + bytes / 1000, 0)
  console.log(`${directory.slice(ROOT.length)}: ${kilobytes.toFixed(0)} KB are loaded at start`)
}

const bundle = async (): Promise<readonly Metafile[]> => {
  const api = bundleFunction(API_SOURCE)
  const functions = [AGGREGATOR_SOURCE, AUTHORIZER_SOURCE].map(bundleFunction)
  const directory = join(DIST, 'bin')
  const commandLine = await bundleCommandLine(directory, api)
  report(directory, commandLine, 'zael.mjs')
  return [api, ...functions, commandLine]
}

const writeSbom = async (bundles: readonly Metafile[]): Promise<void> => {
  const sbom = await createSbom(ROOT, packageJson.name, bundles)
  await writeFile(join(DIST, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 1)}\n`)
  console.log(`dist/sbom.cdx.json: ${sbom.components.length} packages`)
}

const HELP = `npm run build

Builds what is published into dist/: modules and declarations of the entry points, the bundles of the
Lambdas, of the command \`zael\` and of the service, with its Dockerfile, dist/sbom.cdx.json, which lists the packages
in them (CycloneDX), and the templates for deployments without the CDK.`

await runCommandLine({ command: 'npm run build', help: HELP, options: {} }, async () => {
  await rm(DIST, { recursive: true, force: true })
  await compile()
  await writeSbom([...(await bundle()), await bundleServiceImage(join(DIST, 'service'))])
  writeTemplates(join(DIST, 'cloudformation'))
})
