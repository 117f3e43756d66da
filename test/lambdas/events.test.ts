import type { LambdaEvent } from 'hono/aws-lambda'
import { describe, expect, test } from 'vitest'
import { rootLinks, withoutBasePath } from '../../lambdas/events.ts'

/** The event of a REST API, reduced to the paths. */
const restEvent = (path: string, route: { resource: string; proxy?: string; publicPath?: string }) =>
  ({
    httpMethod: 'GET',
    path,
    resource: route.resource,
    pathParameters: route.proxy === undefined ? null : { proxy: route.proxy },
    requestContext: { stage: 'prod', path: route.publicPath ?? path },
  }) as unknown as LambdaEvent

const httpEvent = (rawPath: string, route: { routeKey: string; proxy?: string; stage?: string }) =>
  ({
    version: '2.0',
    rawPath,
    routeKey: route.routeKey,
    ...(route.proxy !== undefined && { pathParameters: { proxy: route.proxy } }),
    requestContext: { stage: route.stage ?? '$default', http: { method: 'GET', path: rawPath } },
  }) as unknown as LambdaEvent

const pathOf = (event: LambdaEvent): string => {
  const below = withoutBasePath(event)
  return 'rawPath' in below ? below.rawPath : below.path
}

describe('a REST API', () => {
  test.each([
    ['/health', 'health', '/health'],
    ['/limits/health', 'health', '/health'],
    ['/a/b/c/api/entities/x', 'api/entities/x', '/api/entities/x'],
    ['/v1/v1/models', 'v1/models', '/v1/models'],
    ['/limits/docs/', 'docs', '/docs/'],
    ['/limits/docs/', 'docs/', '/docs/'],
    ['/docs/', 'docs', '/docs/'],
  ])('with path %s, matched as %s, has the app path %s', (path, proxy, below) => {
    expect(pathOf(restEvent(path, { resource: '/{proxy+}', proxy }))).toBe(below)
  })

  test.each([
    ['/limits/v1/models/a%2Fb', 'v1/models/a/b', '/v1/models/a%2Fb'],
    [
      '/limits/api/policies/USER_MODEL/a%20b/%2A',
      'api/policies/USER_MODEL/a b/*',
      '/api/policies/USER_MODEL/a%20b/%2A',
    ],
    ['/limits/v1/models/a%252Fb', 'v1/models/a%2Fb', '/v1/models/a%252Fb'],
    ['/limits/v1/models/a%2Fb', 'v1/models/a%2Fb', '/v1/models/a%2Fb'],
    ['/limits/v1/models/%zz', 'v1/models/%zz', '/v1/models/%zz'],
  ])('keeps the encoding of %s, matched as %s', (path, proxy, below) => {
    expect(pathOf(restEvent(path, { resource: '/{proxy+}', proxy }))).toBe(below)
  })

  test.each(['/', '/limits', '/limits/', '/a/b'])('with its root at %s has the app path /', (path) => {
    expect(pathOf(restEvent(path, { resource: '/' }))).toBe('/')
  })

  test('finds the path below a resource', () => {
    expect(pathOf(restEvent('/limits/health', { resource: '/limits/{proxy+}', proxy: 'health' }))).toBe(
      '/health',
    )
    expect(pathOf(restEvent('/limits/health', { resource: '/health' }))).toBe('/health')
  })

  test('finds a route that an authorizer leaves open, below a base path', () => {
    const path = '/platform/limits/docs/swagger-ui.css'
    expect(pathOf(restEvent(path, { resource: '/docs/swagger-ui.css' }))).toBe('/docs/swagger-ui.css')
    expect(pathOf(restEvent('/limits/docs/', { resource: '/docs' }))).toBe('/docs/')
  })

  test.each([
    ['another proxy', '/limits/health', { resource: '/{proxy+}', proxy: 'metrics' }],
    ['a longer name', '/mylimits/unhealth', { resource: '/{proxy+}', proxy: 'health' }],
    ['other parameters', '/limits/x', { resource: '/limits/{id}' }],
  ])('keeps a path that does not end like the route: %s', (_, path, route) => {
    expect(pathOf(restEvent(path, route))).toBe(path)
  })
})

describe('an HTTP API', () => {
  test.each([
    ['/limits/health', { routeKey: 'ANY /{proxy+}', proxy: 'health' }, '/health'],
    ['/prod/health', { routeKey: 'ANY /{proxy+}', proxy: 'health', stage: 'prod' }, '/health'],
    ['/limits', { routeKey: 'ANY /' }, '/'],
    ['/prod/health', { routeKey: '$default', stage: 'prod' }, '/health'],
    ['/prod', { routeKey: '$default', stage: 'prod' }, '/'],
    ['/production', { routeKey: '$default', stage: 'prod' }, '/production'],
    ['/health', { routeKey: '$default' }, '/health'],
    ['/', { routeKey: '$default' }, '/'],
  ])('with path %s of the route %o has the app path %s', (rawPath, route, below) => {
    expect(pathOf(httpEvent(rawPath, route))).toBe(below)
  })
})

test('an event of a load balancer stays unchanged', () => {
  const event = {
    httpMethod: 'GET',
    path: '/limits/health',
    requestContext: { elb: { targetGroupArn: 'arn' } },
  }
  expect(withoutBasePath(event as unknown as LambdaEvent)).toBe(event)
})

describe('links on the page at the root', () => {
  test.each([
    ['/prod', '/prod'],
    ['/limits', '/limits'],
    ['/a/b', '/a/b'],
    ['/prod/', undefined],
    ['/', undefined],
    ['//elsewhere.example', undefined],
  ])('at %s start with %s', (publicPath, links) => {
    expect(rootLinks(restEvent('/', { resource: '/', publicPath }))).toBe(links)
  })

  test('are only needed there', () => {
    const event = restEvent('/limits/docs', { resource: '/{proxy+}', proxy: 'docs' })
    expect(rootLinks(event)).toBeUndefined()
  })
})
