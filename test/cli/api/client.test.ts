import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { createApiClient } from '../../../cli/api/client.ts'
import { CliError } from '../../../cli/failure.ts'

interface Sent {
  readonly url: string
  readonly init: RequestInit
}

const URL = 'https://zael.example.com/prod'

const page = v.object({ items: v.array(v.string()), next_cursor: v.nullable(v.string()) })

/** A client whose requests get these responses in turn. */
const clientOf = (...responses: readonly (Response | Error)[]) => {
  const sent: Sent[] = []
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const response = responses[sent.push({ url, init }) - 1]
    if (response instanceof Response) return response
    throw response ?? new Error('unexpected request')
  }
  return { sent, client: createApiClient({ fetch }, { url: URL, token: 'the-token' }) }
}

const failureOf = async (response: Response | Error): Promise<CliError> => {
  const failure = await clientOf(response)
    .client.send({ path: ['api'] })
    .catch((error: unknown) => error)
  if (!(failure instanceof CliError)) throw failure
  return failure
}

test('encodes names, omits undefined parameters, and sends the token and the body', async () => {
  const { sent, client } = clientOf(Response.json('done', { headers: { etag: '"5"' } }))
  const request = {
    method: 'PUT',
    path: ['api', 'limits', 'a b/ü?'],
    query: { resource: 'gpt-4&x', user: undefined },
    body: { limits: [] },
    ifMatch: '"4"',
  } as const
  expect(await client.requestWithEtag(request, v.string())).toEqual({ body: 'done', etag: '"5"' })
  expect(sent).toHaveLength(1)
  expect(sent[0]).toMatchObject({
    url: `${URL}/api/limits/a%20b%2F%C3%BC%3F?resource=gpt-4%26x`,
    init: {
      method: 'PUT',
      body: '{"limits":[]}',
      redirect: 'manual',
      headers: {
        authorization: 'Bearer the-token',
        'content-type': 'application/json',
        'if-match': '"4"',
      },
    },
  })
})

test.each(['', '.', '..'])('rejects the name "%s", which a URL would drop', async (name) => {
  const { sent, client } = clientOf()
  await expect(client.send({ method: 'DELETE', path: ['api', 'entities', name] })).rejects.toThrow(
    `"${name}" is not a name`,
  )
  expect(sent).toEqual([])
})

test('reads all pages of a list, or as many items as are needed', async () => {
  const pages = () => [
    Response.json({ items: ['a', 'b'], next_cursor: 'x' }),
    Response.json({ items: ['c', 'd'], next_cursor: null }),
  ]
  const { sent, client } = clientOf(...pages())
  const request = { path: ['api', 'entities'], query: { q: 'k' } }
  expect(await client.list(request, page)).toEqual(['a', 'b', 'c', 'd'])
  expect(sent.map(({ url }) => url.slice(URL.length))).toEqual([
    '/api/entities?q=k&limit=1000',
    '/api/entities?q=k&limit=1000&cursor=x',
  ])
  const few = clientOf(...pages())
  expect(await few.client.list(request, page, 2)).toEqual(['a', 'b'])
  expect(few.sent.map(({ url }) => url.slice(URL.length))).toEqual(['/api/entities?q=k&limit=2'])
})

test('keeps fields that this version does not have', async () => {
  const { client } = clientOf(Response.json({ name: 'a', later: 1 }))
  expect(await client.request({ path: ['api'] }, v.object({ name: v.string() }))).toEqual({
    name: 'a',
    later: 1,
  })
})

describe('failures', () => {
  test.each([
    [400, 'invalid_request', 2],
    [401, 'unauthorized', 3],
    [403, 'forbidden', 3],
    [404, 'not_found', 4],
    [409, 'conflict', 1],
    [412, 'precondition_failed', 1],
    [413, 'too_large', 2],
    [429, 'rate_limit_exceeded', 3],
    [500, 'internal_error', 1],
    [503, 'unavailable', 5],
  ])('status %d with %s is exit code %d', async (status, code, exitCode) => {
    const failure = await failureOf(Response.json({ error: code, message: 'The reason' }, { status }))
    expect(failure).toMatchObject({ code, exitCode })
    expect(failure.message).toMatch(/^The reason/)
  })

  test('has the message of the form of OpenAI', async () => {
    const error = { message: 'Incorrect API key provided', type: 'x', param: null, code: 'invalid_api_key' }
    const failure = await failureOf(Response.json({ error, message: 'other' }, { status: 401 }))
    expect(failure.code).toBe('invalid_api_key')
    expect(failure.message).toBe(
      `Incorrect API key provided; ${URL} does not accept the token of --token, --token-file or ZAEL_TOKEN`,
    )
    expect(failure.message).not.toContain('the-token')
  })

  test.each([
    ['a page of something else', new Response('<html>', { status: 404 }), 4, 'no error of zael'],
    [
      'a redirect',
      new Response('', { status: 308, headers: { location: 'https://b/' } }),
      1,
      'redirects to https://b/',
    ],
    [
      'no connection',
      new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
      5,
      `${URL} cannot be reached: ECONNREFUSED; start a server with \`zael serve\``,
    ],
    ['a timeout', new DOMException('', 'TimeoutError'), 5, 'no response within 60 s'],
  ])('%s names the URL', async (_, response, exitCode, message) => {
    const failure = await failureOf(response)
    expect(failure.exitCode).toBe(exitCode)
    expect(failure.message).toContain(message)
    expect(failure.message).toContain(URL)
  })

  test.each([
    ['{"items": 1, "next_cursor": null}', 'items must be a list'],
    ['not JSON', 'the response must be an object'],
  ])('a response of another shape is an error: %s', async (text, message) => {
    const { client } = clientOf(new Response(text))
    const failure = client.request({ path: ['api'] }, page)
    await expect(failure).rejects.toThrow(`${URL} sent an unexpected response: ${message}`)
  })
})
