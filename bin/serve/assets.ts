import { fileURLToPath } from 'node:url'
import { bundleDashboard } from '../../lib/bundle-dashboard.ts'
import type { Assets } from '../../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../../src/http/pages/directory-assets.ts'
import { createPackageAssets } from '../../src/http/pages/package-assets.ts'
import { isBundled } from '../version.ts'

/** Set by the bundler of the published package: the directory of the files, relative to the bundle. */
declare const ZAEL_ASSETS: string | undefined

const DIRECTORY = typeof ZAEL_ASSETS === 'string' ? ZAEL_ASSETS : 'assets'

/** The files of the docs pages and of the dashboard: those of the bundle, or of the repository, built on demand. */
export const assetsOf = (version: string): Assets => {
  if (!isBundled) return createPackageAssets(version, bundleDashboard)
  return {
    ...createDirectoryAssets(fileURLToPath(new URL(DIRECTORY, import.meta.url))),
    async openApiDocument(app) {
      const { openApiDocument } = await import('../../src/http/openapi/document.ts')
      return openApiDocument(app, version)
    },
  }
}
