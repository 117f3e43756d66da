/** What becomes the code of one function. */
export interface LambdaSource {
  /** The file that exports `handler`, from the project's root: `lambdas/api.ts`. */
  readonly entry: string
  /** Files that the code reads by itself: by the name they have beside the bundle, the package and the file in it. */
  readonly assets?: Readonly<Record<string, readonly [module: string, file: string]>>
  /** Where the dashboard's files go, beside the bundle. */
  readonly page?: string
}

/** The API's code, and the files of its docs pages and its dashboard, which it reads when they are asked for. */
export const API_SOURCE: LambdaSource = {
  entry: 'lambdas/api.ts',
  page: 'assets/dashboard',
  assets: {
    'assets/swagger-ui.css': ['swagger-ui-dist', 'swagger-ui.css'],
    'assets/swagger-ui-bundle.js': ['swagger-ui-dist', 'swagger-ui-bundle.js'],
    'assets/favicon-32x32.png': ['swagger-ui-dist', 'favicon-32x32.png'],
    'assets/redoc.standalone.js': ['redoc', 'bundles/redoc.standalone.js'],
  },
}

export const AGGREGATOR_SOURCE: LambdaSource = { entry: 'lambdas/aggregator.ts' }
