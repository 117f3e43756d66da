import { readFileSync } from 'node:fs'
import * as powertools from '@aws-lambda-powertools/event-handler/http'
import middy from '@middy/core'
import { transform } from 'esbuild'
import { describe, expect, test, vi } from 'vitest'
import * as zael from '../../src/library/index.ts'
import * as lambda from '../../src/library/lambda.ts'
import { appSyncEvent, httpEvent, restEvent, sqsEvent, sqsRecord } from '../library/lambda/events.ts'

const page = readFileSync(new URL('../../docs/lambda.md', import.meta.url), 'utf8')

/** The modules that the snippets import; a table in memory stands for one in DynamoDB. */
const MODULES: Readonly<Record<string, unknown>> = {
  zael,
  'zael/lambda': lambda,
  'zael/dynamodb': { dynamoDbStore: () => zael.memoryStore() },
  '@middy/core': { __esModule: true, default: middy },
  '@aws-lambda-powertools/event-handler/http': powertools,
}

type Handler = (event: unknown, context: object) => Promise<unknown>

/** Runs the first snippet below a heading; returns its handler. */
const handlerBelow = async (heading: string, index = 0): Promise<Handler> => {
  const [, section = ''] = page.split(new RegExp(`^#+ ${heading}\n`, 'm'))
  const snippets = [...(section.split(/^## /m)[0]?.matchAll(/```ts\n([\s\S]*?)```/g) ?? [])]
  const { code } = await transform(snippets[index]?.[1] ?? '', { loader: 'ts', format: 'cjs' })
  const module: { exports: { handler?: Handler } } = { exports: {} }
  const load = (name: string): unknown => MODULES[name] ?? expect.unreachable(`${name} is not known`)
  new Function('require', 'module', 'exports', code)(load, module, module.exports)
  return module.exports.handler ?? expect.unreachable('the snippet exports no handler')
}

/** Invokes until a response has another status than 200 or 202; returns it and the number of those before. */
const denialOf = async (handler: Handler, newEvent: () => unknown) => {
  for (let allowed = 0; allowed < 1000; allowed++) {
    const result = await handler(newEvent(), {}).catch((error: unknown) => ({ error }))
    if (!/"statusCode":20[02]/.test(JSON.stringify(result))) return { result, allowed }
  }
  return expect.unreachable('nothing was denied')
}

describe('the snippets of lambda.md', () => {
  test('limit a function by a claim, with the response that the page shows', async () => {
    const { result, allowed } = await denialOf(await handlerBelow('Limits in a Lambda function'), httpEvent)
    expect(allowed).toBeGreaterThanOrEqual(60)
    const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? []
    const { headers, ...others } = JSON.parse(shown)
    expect(result).toMatchObject({ ...others, body: expect.any(String) })
    expect(result).toMatchObject({ headers: { ...headers, 'retry-after-ms': expect.any(String) } })
    expect(JSON.stringify(result)).toContain(String(others.body).replace('…', '').replaceAll('"', '\\"'))
  })

  test('charge the items of a body', async () => {
    const handler = await handlerBelow('Events')
    const body = JSON.stringify(Array(250).fill(1))
    expect((await denialOf(handler, () => restEvent({ body }))).allowed).toBe(2)
  })

  test('settle the tokens of a response', async () => {
    const handler = await handlerBelow('Settling')
    expect((await denialOf(handler, restEvent)).allowed).toBeGreaterThan(100)
  })

  test.each([
    ['Middy', () => restEvent()],
    ['Powertools', () => restEvent({ path: '/orders', httpMethod: 'GET', body: null })],
  ])('limit a handler of %s', async (heading, newEvent) => {
    const { result, allowed } = await denialOf(await handlerBelow(heading), newEvent)
    expect(allowed).toBeGreaterThanOrEqual(60)
    expect(result).toMatchObject({ statusCode: 429 })
  })

  test('limit a resolver, whose mutations cost five requests', async () => {
    const handler = await handlerBelow('AppSync')
    for (let calls = 0; calls < 12; calls++) expect(await handler(appSyncEvent(), {})).toEqual({ id: '1' })
    await expect(handler(appSyncEvent(), {})).rejects.toThrow(
      /^Rate limit exceeded for limits: rpm; try again in [\d.]+ s$/,
    )
  })

  test('limit a queue', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      const handler = await handlerBelow('Queues')
      expect(await handler(sqsEvent(sqsRecord('a')), {})).toEqual({ batchItemFailures: [] })
      expect(log).toHaveBeenCalledWith({ order: 'a' })
    } finally {
      log.mockRestore()
    }
  })
})
