import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleDashboard } from '../../lib/bundle-dashboard.ts'
import type { Assets } from '../../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../../src/http/pages/directory-assets.ts'
import { createPackageAssets } from '../../src/http/pages/package-assets.ts'

/** Set by the bundler of a program that is deployed: the version. Its files are then in `assets`, beside the bundle. */
declare const ZAEL_VERSION: string | undefined

const isDeployed = typeof ZAEL_VERSION === 'string'

/** The version of a deployed program; else that of the repository. */
export const zaelVersion = (): string => {
  if (isDeployed) return ZAEL_VERSION
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return version
}

/** The files of the docs pages and of the dashboard: beside the bundle, or those of the repository, built on demand. */
export const assetsOf = (version: string): Assets => {
  if (!isDeployed) return createPackageAssets(version, bundleDashboard)
  return {
    ...createDirectoryAssets(fileURLToPath(new URL('assets', import.meta.url))),
    async openApiDocument(app) {
      const { openApiDocument } = await import('../../src/http/openapi/document.ts')
      return openApiDocument(app, version)
    },
  }
}
