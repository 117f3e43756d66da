import { type OutgoingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { LambdaContext, LambdaEvent } from 'hono/aws-lambda'
import { listen } from '../../../bin/serve/listen.ts'
import { bufferedHandler } from '../../../lambdas/handlers.ts'
import type { ModelBackend } from '../../../src/core/ports/model-backend.ts'
import { createDirectListener } from '../../../src/http/node/direct-listener.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { type CheckingApp, createCheckingApp } from '../limit-checks/checking-app.ts'
import { fakeBackend } from '../model-routes/fake-backend.ts'
import type { TestAppOptions } from '../test-app.ts'

/** A request; `path` as it appears in the request line. */
export interface SentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<OutgoingHttpHeaders>
  readonly body: string
}

export interface ReceivedResponse {
  readonly status: number | undefined
  /** Names in lower case, without those that describe the connection. */
  readonly headers: readonly string[]
  readonly body: string
}

export interface Node {
  readonly app: CheckingApp
  readonly url: string
  send(sent: SentRequest): Promise<ReceivedResponse>
  /** How many requests the direct path left to Hono. */
  left(): number
  stop(): Promise<void>
}

export interface AppOptions extends TestAppOptions {
  readonly call?: ModelBackend['call']
}

export interface NodeOptions extends AppOptions {
  readonly isDirect: boolean
}

/** A server with key-bob (10 requests, 1000 tokens) and a fake backend, with the direct path or only Hono. */
export const startNode = async ({ isDirect, ...options }: NodeOptions): Promise<Node> => {
  const app = await createApp(options)
  const direct = createDirectListener(app.hot)
  let left = 0
  const { url, stop } = await listen({
    fetch: app.app.fetch,
    host: '127.0.0.1',
    port: 0,
    keepAliveSeconds: 65,
    ...(isDirect && {
      direct: (incoming, outgoing, { leave, track }) =>
        direct(incoming, outgoing, {
          track,
          leave(...request) {
            left += 1
            leave(...request)
          },
        }),
    }),
  })
  return { app, url, send: (sent) => exchange(url, sent), left: () => left, stop }
}

/** The same app on Lambda, behind a REST API, with whole responses. */
export const createLambda = async (options: AppOptions): Promise<Pick<Node, 'app' | 'send'>> => {
  const app = await createApp(options)
  const handler = bufferedHandler(app.app)
  const send: Node['send'] = async (sent) => {
    const response = await handler(eventOf(sent), {} as LambdaContext)
    if (!isWholeResponse(response)) throw new Error('the handler returned no response of a REST API')
    const { statusCode, body, multiValueHeaders } = response
    const lines = Object.entries(multiValueHeaders).flatMap(([name, values]) =>
      values.map((value) => `${name}: ${withoutIds(value)}`),
    )
    return { status: statusCode, headers: lines.sort(), body: withoutIds(body) }
  }
  return { app, send }
}

/** API Gateway passes every value of a header on, in its order. */
const eventOf = ({ method, path, headers, body }: SentRequest): LambdaEvent => {
  const multiValueHeaders = Object.fromEntries(
    Object.entries({ host: 'api.example', ...headers }).map(([name, value]) => [
      name,
      [value ?? ''].flat().map(String),
    ]),
  )
  return {
    ...{ httpMethod: method, path, resource: '/{proxy+}', pathParameters: { proxy: path.slice(1) } },
    ...{ headers: {}, multiValueHeaders, queryStringParameters: null, body, isBase64Encoded: false },
    requestContext: { stage: 'prod', path: `/prod${path}`, identity: { sourceIp: '192.0.2.1' } },
  } as unknown as LambdaEvent
}

interface WholeResponse {
  readonly statusCode: number
  readonly body: string
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>
}

const isWholeResponse = (response: unknown): response is WholeResponse =>
  typeof response === 'object' && response !== null && 'multiValueHeaders' in response

const createApp = ({ call, ...options }: AppOptions): Promise<CheckingApp> => {
  const clock = options.table?.clock ?? createTestClock()
  const backend = fakeBackend(call && { call })
  return createCheckingApp({ backend, ...options, table: { clock, ...options.table } })
}

const OF_CONNECTION = /^(date|connection|keep-alive):/

const exchange = (url: string, { method, path, headers, body }: SentRequest): Promise<ReceivedResponse> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const outgoing = request({ hostname, port, method, path, headers: { ...headers }, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', async (response) => {
      const { rawHeaders, statusCode } = response
      const pairs = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [`${name.toLowerCase()}: ${withoutIds(rawHeaders[at + 1] ?? '')}`] : [],
      )
      resolve({
        status: statusCode,
        headers: pairs.filter((line) => !OF_CONNECTION.test(line)).sort(),
        body: withoutIds(await text(response)),
      })
    })
    outgoing.end(body)
  })

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Ids are random. */
const withoutIds = (value: string): string => value.replace(ID, '<id>')
