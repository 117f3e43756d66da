import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { BuildOptions, BuildResult, build, buildSync } from 'esbuild'

const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

const require = createRequire(import.meta.url)

/** Files of the dashboard by name: `index.html` and the files that it references; compressed copies end in `.gz`. */
export type DashboardFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

const OPTIONS = {
  absWorkingDir: PROJECT_ROOT,
  entryPoints: { dashboard: 'dashboard/main.tsx' },
  outdir: 'dashboard',
  // Names change with the content, so browsers may cache the files without a time limit.
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  write: false,
  platform: 'browser',
  format: 'esm',
  // `light-dark()` requires browsers of 2024.
  target: ['chrome123', 'firefox121', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions

/** Bundles the dashboard, in 100 to 200 ms. */
export const bundleDashboard = async (): Promise<DashboardFiles> => filesOf(await bundler().build(OPTIONS))

/** `bundleDashboard` for synchronous callers. */
export const bundleDashboardSync = (): DashboardFiles => filesOf(bundler().buildSync(OPTIONS))

/** Loaded here: the published package contains a finished bundle and needs no bundler. */
const bundler = (): { readonly build: typeof build; readonly buildSync: typeof buildSync } =>
  require('esbuild')

const filesOf = ({ outputFiles, metafile }: BuildResult<typeof OPTIONS>): DashboardFiles => {
  const [script, output] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint) ?? []
  if (script === undefined || output?.cssBundle === undefined)
    throw new Error('the dashboard has no script or no style')
  const html = dashboardHtml({ script: basename(script), style: basename(output.cssBundle) })
  const files = new Map<string, Uint8Array<ArrayBuffer>>([['index.html', new TextEncoder().encode(html)]])
  for (const { path, contents } of outputFiles) files.set(basename(path), new Uint8Array(contents))
  for (const [name, bytes] of [...files])
    files.set(`${name}.gz`, new Uint8Array(gzipSync(bytes, { level: 9 })))
  return files
}

/** A bucket that is two thirds full. It is part of the page, because one more request would cost more. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%234353d6'/%3E%3Cpath d='M4 3h8v10H4z' fill='none' stroke='white' stroke-width='1.5'/%3E%3Cpath d='M4.7 7h6.6v5.3H4.7z' fill='white'/%3E%3C/svg%3E"

/** The page that loads the other files. Its addresses are relative, so that it works below a stage; it contains no script. */
export const dashboardHtml = ({
  script,
  style,
}: {
  readonly script: string
  readonly style: string
}): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>zael</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="./dashboard/${style}">
<script type="module" src="./dashboard/${script}"></script>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. The API itself does not: see <a href="./docs">the docs</a>.</noscript>
</body>
</html>
`
