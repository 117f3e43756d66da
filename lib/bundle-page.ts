import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { BuildOptions, BuildResult, build, buildSync } from 'esbuild'
import { pageHtml } from './page-html.ts'

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

/** Files of the page by name: `index.html`, and those that it names; a second time with `.gz`, compressed. */
export type PageFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

const OPTIONS = {
  absWorkingDir: PROJECT_ROOT,
  entryPoints: { page: 'dashboard/main.tsx' },
  outdir: 'dashboard',
  // Names change with what is in the files, so browsers may keep them for ever.
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  write: false,
  platform: 'browser',
  format: 'esm',
  // `light-dark()` of the styles needs browsers of 2024.
  target: ['chrome123', 'firefox121', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions

/** Bundles the page. It takes a tenth of a second or two. */
export const bundlePage = async (): Promise<PageFiles> => filesOf(await bundler().build(OPTIONS))

/** As `bundlePage`, for where nothing can be waited for. */
export const bundlePageSync = (): PageFiles => filesOf(bundler().buildSync(OPTIONS))

/** Loaded here, as the published package holds a finished page and needs no bundler. */
const bundler = (): { readonly build: typeof build; readonly buildSync: typeof buildSync } =>
  require('esbuild')

const filesOf = ({ outputFiles, metafile }: BuildResult<typeof OPTIONS>): PageFiles => {
  const [script, output] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint) ?? []
  if (script === undefined || output?.cssBundle === undefined)
    throw new Error('the page has no script or no style')
  const html = pageHtml({ script: basename(script), style: basename(output.cssBundle) })
  const files = new Map<string, Uint8Array<ArrayBuffer>>([['index.html', new TextEncoder().encode(html)]])
  for (const { path, contents } of outputFiles) files.set(basename(path), new Uint8Array(contents))
  for (const [name, bytes] of [...files])
    files.set(`${name}.gz`, new Uint8Array(gzipSync(bytes, { level: 9 })))
  return files
}
