import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { LambdaSource } from './lambda-code.ts'

const require = createRequire(import.meta.url)
const fileOf = (module: string, file: string): string =>
  join(require.resolve(`${module}/package.json`), '..', file)

/** The API's code, and the files of its docs pages, which it reads when they are first asked for. */
export const API_SOURCE: LambdaSource = {
  entry: 'lambdas/api.ts',
  assets: {
    'assets/swagger-ui.css': fileOf('swagger-ui-dist', 'swagger-ui.css'),
    'assets/swagger-ui-bundle.js': fileOf('swagger-ui-dist', 'swagger-ui-bundle.js'),
    'assets/favicon-32x32.png': fileOf('swagger-ui-dist', 'favicon-32x32.png'),
    'assets/redoc.standalone.js': fileOf('redoc', 'bundles/redoc.standalone.js'),
  },
}

export const AGGREGATOR_SOURCE: LambdaSource = { entry: 'lambdas/aggregator.ts' }
