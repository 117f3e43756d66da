import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { sharedRead } from '../../core/ports/shared-read.ts'
import type { AssetName, Assets } from '../app-dependencies.ts'

const require = createRequire(import.meta.url)

/** The path of each file in its package. */
export const ASSET_SOURCES: Readonly<Record<AssetName, string>> = {
  'swagger-ui.css': 'swagger-ui-dist/swagger-ui.css',
  'swagger-ui-bundle.js': 'swagger-ui-dist/swagger-ui-bundle.js',
  'favicon-32x32.png': 'swagger-ui-dist/favicon-32x32.png',
  'redoc.standalone.js': 'redoc/bundles/redoc.standalone.js',
}

/** The dashboard's files by name. */
export type BundleDashboard = () => Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>

/**
 * Assets of a process that runs from the repository: files of installed packages; the document and the dashboard are built on
 * demand.
 */
export const createPackageAssets = (version: string, bundleDashboard: BundleDashboard): Assets => {
  const dashboard = sharedRead(bundleDashboard)
  return {
    dashboardFile: async (name) => (await dashboard()).get(name),
    docsFile: async (name) => new Uint8Array(await readFile(require.resolve(ASSET_SOURCES[name]))),
    openApiDocument: async (app) => {
      const { openApiDocument } = await import('../openapi/document.ts')
      return openApiDocument(app, version)
    },
  }
}
