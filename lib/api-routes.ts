import { AuthorizationType, type IAuthorizer, type RestApi } from 'aws-cdk-lib/aws-apigateway'

/** An authorizer of the stack's owner in front of the API. */
export interface ApiAuthorization {
  /**
   * Your authorizer in front of every route: zael gets only requests that it allows, and checks its own keys and tokens as
   * without it. Default: none.
   */
  readonly authorizer?: IAuthorizer
  /** Paths that GET requests reach without `authorizer`, such as `/health`. Default: none. */
  readonly openRoutes?: readonly string[]
}

/** Throws an error that names the property and what is allowed. */
export const checkAuthorization = ({ authorizer, openRoutes = [] }: ApiAuthorization): void => {
  if (authorizer === undefined && openRoutes.length > 0) throw new Error('openRoutes requires authorizer')
  for (const route of openRoutes) {
    if (ROUTE.test(route)) continue
    throw new Error(
      `openRoutes must be paths without parameters, such as /health or /docs/swagger-ui.css: ${route}`,
    )
  }
  if (new Set(openRoutes).size < openRoutes.length)
    throw new Error('openRoutes must not contain a path twice')
}

const ROUTE = /^(\/[\w.-]+)+$/

/** Passes the root and every path below it to the default integration of the API. `cors`: browsers may call it from other origins. */
export const addRoutes = (
  api: RestApi,
  { authorizer, openRoutes = [] }: ApiAuthorization,
  cors: boolean,
): void => {
  const routes = api.root.addProxy({ anyMethod: false })
  routes.addMethod('ANY', undefined, authorizer === undefined ? {} : { authorizer })
  if (authorizer === undefined) return
  const open = { authorizationType: AuthorizationType.NONE }
  // Browsers ask without credentials whether they may call.
  if (cors) routes.addMethod('OPTIONS', undefined, open)
  for (const route of openRoutes) api.root.resourceForPath(route).addMethod('GET', undefined, open)
}
