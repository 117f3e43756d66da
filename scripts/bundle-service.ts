import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { bundleDashboard } from '../lib/bundle-dashboard.ts'
import packageJson from '../package.json' with { type: 'json' }
import { ASSET_SOURCES } from '../src/http/pages/package-assets.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

/** The service, the processes that it starts, and the container's health check. */
const ENTRIES = {
  service: 'bin/service.ts',
  worker: 'bin/workers/worker.ts',
  health: 'bin/service/health.ts',
} as const

/** CommonJS packages require Node's modules with `require`, which ES modules do not have. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** A module that is started in a process of its own is another file of the bundle: `new URL('./worker.ts', import.meta.url)`. */
const startedModules: Plugin = {
  name: 'started-modules',
  setup(bundler) {
    bundler.onLoad({ filter: /worker-pool\.ts$/ }, async ({ path }) => {
      const contents = (await readFile(path, 'utf8')).replace("'./worker.ts'", "'./worker.mjs'")
      return { contents, loader: 'ts' }
    })
  },
}

/**
 * Bundles the service into `directory`, with everything that it needs: `service.mjs`, what it loads, and the files of the docs pages and
 * the dashboard in `assets`. No package is installed where it runs.
 */
export const bundleService = async (directory: string): Promise<Metafile> => {
  await rm(directory, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: directory,
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
    // bundles the repository's dashboard; a deployed program has the finished files
    external: ['esbuild'],
    define: { ZAEL_VERSION: JSON.stringify(packageJson.version) },
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [startedModules],
  })
  await writeAssets(join(directory, 'assets'))
  return metafile
}

/** What the last stage copies from the one that builds. */
const COPY_OF_BUILD = 'COPY --from=build /zael/dist/service ./'

/** The Dockerfile of a directory that contains the finished service: the last stage of the repository's. */
export const finishedDockerfile = (dockerfile: string): string => {
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM ') + 1)
  if (!lastStage.includes(COPY_OF_BUILD)) throw new Error(`the Dockerfile must contain ${COPY_OF_BUILD}`)
  return lastStage.replace(COPY_OF_BUILD, 'COPY . ./')
}

/** Bundles the service into `directory` beside a Dockerfile for it, from which `ZaelService` builds its image. */
export const bundleServiceImage = async (directory: string): Promise<Metafile> => {
  const metafile = await bundleService(directory)
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
  await writeFile(join(directory, 'Dockerfile'), finishedDockerfile(dockerfile))
  await writeFile(join(directory, '.dockerignore'), 'Dockerfile\n.dockerignore\n')
  return metafile
}

const writeAssets = async (directory: string): Promise<void> => {
  for (const [name, source] of Object.entries(ASSET_SOURCES)) {
    await write(join(directory, name), (path) => copyFile(require.resolve(source), path))
  }
  for (const [name, bytes] of await bundleDashboard()) {
    await write(join(directory, 'dashboard', name), (path) => writeFile(path, bytes))
  }
}

const write = async (path: string, to: (path: string) => Promise<void>): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  await to(path)
}
