import type { LambdaEvent } from 'hono/aws-lambda'

/**
 * The event with the path that the app expects: without the stage of an HTTP API, and without the base path of a custom
 * domain or of a resource in a user's own API. The path below the base is what the route's `{proxy+}` matched, or a route
 * without parameters. Events of load balancers and function URLs are returned as they are.
 */
export const withoutBasePath = (event: LambdaEvent): LambdaEvent => {
  if ('rawPath' in event) return { ...event, rawPath: httpApiPath(event) }
  if ('resource' in event) {
    return { ...event, path: pathBelow(event.path, event.resource, event.pathParameters?.proxy) }
  }
  return event
}

/**
 * The prefix of links on the root page; undefined: `./`. At a base path without a final slash, `./docs` would be a path beside
 * the API.
 */
export const rootLinks = (event: LambdaEvent): string | undefined => {
  const path = publicPath(event)
  if (path === undefined || path.endsWith('/') || path.startsWith('//')) return undefined
  return pathOf(withoutBasePath(event)) === '/' ? path : undefined
}

const pathOf = (event: LambdaEvent): string => ('rawPath' in event ? event.rawPath : event.path)

const publicPath = (event: LambdaEvent): string | undefined => {
  if ('rawPath' in event) return event.rawPath
  return 'resource' in event ? event.requestContext.path : undefined
}

const httpApiPath = (event: Extract<LambdaEvent, { rawPath: string }>): string => {
  const { rawPath, routeKey, requestContext, pathParameters } = event
  const route = routeKey?.split(' ')[1]
  if (route !== undefined) return pathBelow(rawPath, route, pathParameters?.proxy)
  return afterBase(rawPath, `/${requestContext.stage}`) ?? rawPath
}

const pathBelow = (path: string, route: string, proxy: string | undefined): string => {
  if (proxy !== undefined) return belowProxy(path, proxy)
  if (route.includes('{')) return path
  const base = withoutEnd(path, route) ?? withoutEnd(path.replace(/\/$/, ''), route === '/' ? '' : route)
  return (base === undefined ? undefined : afterBase(path, base)) ?? path
}

/** The match is decoded and has no final slash; the path is as it was sent. A base path needs no encoding. */
const belowProxy = (path: string, proxy: string): string => {
  const decoded = decode(path)
  const matched = [`/${proxy}`, `/${proxy}/`, `/${decode(proxy)}`, `/${decode(proxy)}/`]
  for (const end of matched) {
    const base = withoutEnd(decoded, end)
    const below = base === undefined ? undefined : afterBase(path, base)
    if (below !== undefined) return below
  }
  return path
}

const withoutEnd = (path: string, end: string): string | undefined =>
  path.endsWith(end) ? path.slice(0, path.length - end.length) : undefined

/** The rest of the path after `base`, at least `/`. Undefined: the path is not below `base`. */
const afterBase = (path: string, base: string): string | undefined => {
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
