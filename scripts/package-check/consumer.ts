import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { runCommand, ScriptError } from '../run-command.ts'

const run = promisify(execFile)

/** A project that has installed only the package and the explicitly added packages. */
export interface Consumer {
  readonly directory: string
  /** Makes a package of the checkout available to the project, as if it were installed. */
  provide(name: string): Promise<void>
}

/** Packs the checkout into `directory`, as `npm publish` would. Returns the path of the tarball. */
export const pack = async (root: string, directory: string): Promise<string> => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory], { cwd: root })
  const [first] = await readdir(directory).then((names) => names.filter((name) => name.endsWith('.tgz')))
  if (first === undefined) throw new ScriptError(`npm pack created no tarball: ${stdout}`)
  return join(directory, first)
}

/** Installs the tarball into an empty project, with the dependencies of the package. */
export const installInto = async (root: string, tarball: string, directory: string): Promise<Consumer> => {
  const modules = join(directory, 'node_modules')
  await mkdir(modules, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', modules])
  await rename(join(modules, 'package'), join(modules, 'zael'))
  const provide = async (name: string): Promise<void> => {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  return { directory, provide }
}

const REQUIRED_FILES = [
  'LICENSE',
  'SECURITY.md',
  'README.md',
  'CHANGELOG.md',
  'dist/sbom.cdx.json',
  'dist/cloudformation/zael.template.yaml',
  'dist/cloudformation/function.sam.yaml',
  'dist/service/.dockerignore',
  'dist/service/Dockerfile',
  'dist/service/service.mjs',
]

/** Published are only files below `dist`: no tests, and no path of the build machine. */
export const checkFiles = async (root: string, { directory }: Consumer): Promise<void> => {
  const base = join(directory, 'node_modules', 'zael')
  const files = (await readdir(base, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(base.length + 1))
  const expected =
    /^(dist\/(src|lib|lambdas|bin|service)\/|(dist\/sbom\.cdx\.json|dist\/cloudformation\/[a-z]+\.(template|sam)\.yaml|package\.json|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$)/
  const odd = paths.filter((path) => !expected.test(path) || /(^|\/)(test|\.env)|\.test\./.test(path))
  if (odd.length > 0) throw new ScriptError(`this should not be published: ${odd.join(', ')}`)
  const missing = REQUIRED_FILES.filter((path) => !paths.includes(path))
  if (missing.length > 0) throw new ScriptError(`this should be published: ${missing.join(', ')}`)
  for (const path of paths) {
    const text = await readFile(join(base, path), 'latin1')
    const machine = [root, homedir()].find((place) => place.length > 1 && text.includes(`${place}/`))
    if (machine !== undefined) throw new ScriptError(`${path} contains a path of this machine: ${machine}`)
  }
  console.log(`${paths.length} files, all of them expected`)
}

/** Fields of the published types whose comments editors show: types that are derived from a schema lose them. */
const COMMENTED: readonly (readonly [file: string, field: string])[] = [
  ['src/contract/limit-fields.d.ts', 'warn_at'],
  ['src/contract/limit-sizes.d.ts', 'refill_rate'],
  ['src/contract/limit-sizes.d.ts', 'slots'],
  ['src/library/limiter/limiter-options.d.ts', 'store'],
]

/** The published types keep the comments of their fields. */
export const checkComments = async ({ directory }: Consumer): Promise<void> => {
  for (const [file, field] of COMMENTED) {
    const text = await readFile(join(directory, 'node_modules/zael/dist', file), 'utf8')
    if (!new RegExp(String.raw`\*/\s+(readonly )?${field}\??:`).test(text))
      throw new ScriptError(`${field} has no comment in ${file}`)
  }
  console.log(`${COMMENTED.length} fields of the types, all of them with their comments`)
}

/** Code that a user bundles, the parts of the package that it must not contain, and its maximum size. */
export interface Weighed {
  readonly name: string
  readonly code: string
  readonly atMostKb: number
  /** Paths of modules that this code does not need. */
  readonly without: RegExp
}

/** Bundles code that uses a part of the package, and checks that the rest is left out. */
export const weigh = async (
  { directory }: Consumer,
  { name, code, atMostKb, without }: Weighed,
): Promise<void> => {
  const entry = join(directory, `${name}.mjs`)
  await writeFile(entry, code)
  const { metafile, outputFiles } = await build({
    absWorkingDir: directory,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
  })
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
  const needless = used.filter((path) => without.test(path))
  if (needless.length > 0) throw new ScriptError(`${name} holds what it does not use: ${needless.join(', ')}`)
  const kilobytes = outputFiles.reduce((sum, { contents }) => sum + contents.byteLength / 1000, 0)
  console.log(`${name}: ${kilobytes.toFixed(1)} KB minified (at most ${atMostKb})`)
  if (kilobytes > atMostKb) throw new ScriptError(`${name} is larger than ${atMostKb} KB`)
}

interface Example {
  readonly folder: string
  /** The entry points of its own functions. */
  readonly handlers: readonly string[]
  /** The files that each function of zael's requires in its asset. */
  readonly bundles: readonly (readonly string[])[]
}

const EXAMPLES: readonly Example[] = [
  {
    folder: 'embedded-in-your-stack',
    handlers: ['orders-handler.ts'],
    bundles: [
      ['index.mjs', 'package.json'],
      ['index.mjs', 'package.json', 'assets/swagger-ui.css', 'assets/redoc.standalone.js'],
    ],
  },
  {
    folder: 'authorized-api',
    handlers: ['answers-handler.ts', 'orders-handler.ts'],
    bundles: [['index.mjs', 'package.json']],
  },
]

/** Synthesizes the examples from the installed package: the deployments must contain the bundles of zael's Lambdas. */
export const synthesizeExamples = async (root: string, consumer: Consumer): Promise<void> => {
  for (const name of ['aws-cdk-lib', 'constructs']) await consumer.provide(name)
  await writeFile(join(consumer.directory, 'package-lock.json'), '{}\n')
  for (const example of EXAMPLES) await synthesize(root, consumer.directory, example)
  console.log('the example stacks: synthesized from the package')
}

const synthesize = async (root: string, directory: string, { folder, handlers, bundles }: Example) => {
  const source = join(root, 'examples', folder)
  await mkdir(join(directory, folder))
  for (const handler of handlers) await copyFile(join(source, handler), join(directory, folder, handler))
  await build({
    entryPoints: [join(source, 'app.ts')],
    outfile: join(directory, folder, 'app.mjs'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    tsconfigRaw: {},
    logLevel: 'warning',
  })
  const outdir = join(directory, folder, 'cdk.out')
  const context = JSON.stringify({ 'aws:cdk:bundling-stacks': [] })
  await runCommand(process.execPath, [join(folder, 'app.mjs')], {
    cwd: directory,
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: context },
  })
  await checkAssets(outdir, bundles)
}

const checkAssets = async (outdir: string, bundles: Example['bundles']): Promise<void> => {
  const assets = (await readdir(outdir)).filter((name) => name.startsWith('asset.'))
  const contents = await Promise.all(
    assets.map((name) => readdir(join(outdir, name), { recursive: true }).catch((): string[] => [])),
  )
  const missing = bundles.filter(
    (files) => !contents.some((held) => files.every((file) => held.includes(file))),
  )
  if (missing.length > 0) throw new ScriptError(`no asset of the stack holds ${missing.join(' and ')}`)
}
