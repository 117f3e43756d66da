import { once } from 'node:events'
import { type IncomingMessage, request, Server } from 'node:http'
import { gzipSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import { afterEach, describe, expect, test } from 'vitest'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { CHARS_PER_TURN, parseJson } from '../../../src/http/body/read-json.ts'
import { JSON_BOUNDS } from '../../../src/web/json-scan.ts'
import { ADMIN, createTestApp } from '../test-app.ts'

const JSON_HEADERS = { ...ADMIN, 'content-type': 'application/json', 'x-zael-entity': 'a' }

const KIB_64 = 65_536

const MIB = 1_048_576

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** The app behind a Node server, with an entity `a`. */
const started = async (logger: Logger = silentLogger) => {
  const { app, send } = createTestApp({ logger })
  await send('POST', '/api/entities', { body: { entity_id: 'a', name: 'A' } })
  const server = createAdaptorServer({ fetch: app.fetch })
  if (!(server instanceof Server)) throw new Error('HTTP/1.1 is what is tested')
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const open = (path: string, headers: Readonly<Record<string, string>>) =>
    request({ host: '127.0.0.1', port, path, method: 'POST', headers }).on('error', () => {})
  return { open }
}

const responseTo = async (sent: ReturnType<typeof request>) => {
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('no response')
  let text = ''
  for await (const part of response) text += String(part)
  return { status: response.statusCode, body: JSON.parse(text) as unknown }
}

const check = (bytes: number): string => {
  const start = '{"cost":{"requests":1},"dry_run":true'
  return `${start}${' '.repeat(bytes - start.length - 1)}}`
}

describe('a body', () => {
  test.each([
    ['/v1/limits/check', check(KIB_64), 200],
    ['/v1/limits/check', check(KIB_64 + 1), 413],
    ['/v1/limits/settle', check(KIB_64 + 1), 413],
    ['/api/entities', check(KIB_64 + 1), 400],
    ['/api/entities', check(MIB + 1), 413],
  ])('to %s is bounded with and without a declared length', async (path, body, status) => {
    const { open } = await started()
    const declared = open(path, { ...JSON_HEADERS, 'content-length': String(body.length) })
    declared.end(body)
    expect((await responseTo(declared)).status).toBe(status)
    const chunked = open(path, JSON_HEADERS)
    for (let at = 0; at < body.length; at += 8000) chunked.write(body.slice(at, at + 8000))
    chunked.end()
    expect((await responseTo(chunked)).status).toBe(status)
  })

  test.each([{ 'content-length': String(MIB + 1) }, { 'transfer-encoding': 'chunked' }])(
    'that is too large is rejected before its end: %j',
    async (length) => {
      const { open } = await started()
      const sent = open('/api/entities', { ...JSON_HEADERS, ...length })
      sent.write('x'.repeat('content-length' in length ? 1 : MIB + 1))
      expect(await responseTo(sent)).toMatchObject({ status: 413, body: { error: 'too_large' } })
    },
  )

  test.each(['/api/entities', '/v1/limits/check', '/v1/chat/completions', '/rate-limit/check'])(
    'to %s without a valid key is answered before it is read',
    async (path) => {
      const { open } = await started()
      const sent = open(path, {
        ...JSON_HEADERS,
        authorization: 'Bearer nobody',
        'content-length': '1000000',
      })
      sent.write('{"a":')
      expect((await responseTo(sent)).status).toBe(401)
    },
  )

  test('that is compressed is rejected, whatever it contains', async () => {
    const { open } = await started()
    for (const encoding of ['gzip', 'br', 'identity, gzip']) {
      const sent = open('/api/entities', { ...JSON_HEADERS, 'content-encoding': encoding })
      sent.end(gzipSync('{}'))
      expect(await responseTo(sent)).toMatchObject({
        status: 415,
        body: { message: 'Content-Encoding must be identity: send the body uncompressed' },
      })
    }
    const plain = open('/api/entities', { ...JSON_HEADERS, 'content-encoding': 'identity' })
    plain.end('{"entity_id":"b","name":"B"}')
    expect((await responseTo(plain)).status).toBe(201)
  })

  test('of another media type is rejected by routes that read it, and by no others', async () => {
    const { open } = await started()
    for (const [path, status] of [
      ['/api/entities', 415],
      ['/v1/files', 404],
    ] as const) {
      const sent = open(path, { ...JSON_HEADERS, 'content-type': 'multipart/form-data; boundary=x' })
      sent.end('--x--')
      expect((await responseTo(sent)).status).toBe(status)
    }
  })

  test.each([{ 'content-length': '1000' }, { 'transfer-encoding': 'chunked' }])(
    'that its client does not finish leaves a debug line and no other: %j',
    async (length) => {
      const levels: string[] = []
      let logged = (_: unknown): void => {}
      const line = new Promise((resolve) => {
        logged = resolve
      })
      const at = (level: string) => (message: string, fields?: object) => {
        levels.push(level)
        logged({ message, ...fields })
      }
      const { open } = await started({
        debug: at('debug'),
        info: at('info'),
        warn: at('warn'),
        error: at('error'),
      })
      const sent = open('/api/entities', { ...JSON_HEADERS, ...length })
      await new Promise<unknown>((flushed) => sent.write('{"entity_id":', flushed))
      sent.destroy()
      expect(await line).toMatchObject({
        message: 'client disconnected before the end of its body',
        method: 'POST',
        path: '/api/entities',
      })
      expect(levels).toEqual(['debug'])
    },
  )
})

describe('a body on a platform without a connection', () => {
  test('is bounded, whatever length its headers declare', async () => {
    const { app } = createTestApp({ settings: { maxBodyBytes: 100 } })
    for (const length of ['1', '-1', 'many']) {
      const headers = { ...JSON_HEADERS, 'content-length': length }
      const response = await app.request('/api/entities', {
        method: 'POST',
        headers,
        body: `{"name":"${'x'.repeat(100)}"}`,
      })
      expect(response.status).toBe(413)
    }
  })
})

/** The result, and how many turns other work was given. */
const parsing = async (text: string) => {
  let turns = 0
  const nextTurn = async () => {
    turns += 1
  }
  const parse = async () => parseJson(text, { nextTurn })
  const outcome = await parse().then(
    (value) => ({ value }),
    (error: Error) => ({ message: error.message }),
  )
  return { ...outcome, turns }
}

const list = (count: number, item = '1'): string => `[${Array(count).fill(item).join(',')}]`

const fields = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`

const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

describe('parsing the JSON of a client', () => {
  test.each([
    ['{"a":[1,"\\"}{",null]}', { a: [1, '"}{', null] }],
    [`  ${nested(1)}`, [[]].flat()],
    ['"text"', 'text'],
  ])('returns the value of %s without a turn', async (text, value) => {
    expect(await parsing(text)).toEqual({ value, turns: 0 })
  })

  test.each([
    ['99,999 values in a list', list(99_999)],
    ['20,000 fields', fields(20_000)],
    ['100 levels', nested(100)],
    ['a text of a megabyte', JSON.stringify('x'.repeat(1_048_000))],
  ])('accepts %s', async (_, text) => {
    expect(await parsing(text)).toMatchObject({ value: JSON.parse(text) })
  })

  test.each([
    ['100,001 values', list(100_000), 'body must contain at most 100,000 JSON values'],
    ['340,000 checks', list(340_000, '{}'), 'body must contain at most 100,000 JSON values'],
    ['20,001 fields', fields(20_001), 'body must contain at most 20,000 fields, in all objects together'],
    ['90,000 fields', fields(90_000), 'body must contain at most 20,000 fields, in all objects together'],
    ['101 levels', nested(101), 'body must nest at most 100 levels deep'],
    ['half a million levels', '['.repeat(500_000), 'body must nest at most 100 levels deep'],
    [
      'half a million objects that never end',
      '{"a":'.repeat(200_000),
      'body must nest at most 100 levels deep',
    ],
    ['what is not JSON', '{"a":', 'body must be well-formed JSON'],
    ['nothing', '', 'body must be well-formed JSON'],
    ['what is not JSON at its end', `${list(90_000)}]`, 'body must be well-formed JSON'],
  ])('rejects %s', async (_, text, message) => {
    expect(await parsing(text)).toMatchObject({ message })
  })

  test('yields after each run of a scan, and before and after it parses', async () => {
    const text = JSON.stringify('x'.repeat(10 * CHARS_PER_TURN - 2))
    expect(await parsing(text)).toMatchObject({ turns: 9 + 2 })
  })

  test('takes no turn for a long prompt, which has few values', async () => {
    const content = 'The quick brown fox, [a] {b}: jumps over the lazy dog. '.repeat(1900)
    const text = JSON.stringify({ messages: [{ role: 'user', content }] })
    // 100 KB; of brackets, as many levels might be open
    const without = text.replaceAll('[a] {b}', '')
    expect([await parsing(without), (await parsing(text)).turns > 0]).toEqual([
      { value: JSON.parse(without), turns: 0 },
      true,
    ])
  })

  test('counts values of long texts exactly', () => {
    const bounds = { values: 6, fields: 6, levels: 100 }
    const accepts = (value: object): boolean => {
      try {
        parseJson(JSON.stringify(value), { bounds })
        return true
      } catch {
        return false
      }
    }
    const items = (count: number, item: unknown): readonly unknown[] => Array(count).fill(item)
    const long = 'x'.repeat(100)
    const sizes = [1, 4, 5, 6, 7]
    expect(sizes.map((size) => accepts(items(size, long)))).toEqual([true, true, true, false, false])
    expect(sizes.map((size) => accepts(items(size, ', : [ {')))).toEqual([true, true, true, false, false])
    expect(sizes.map((size) => accepts(Object.fromEntries(items(size, long).entries())))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
    expect([2, 3].map((size) => accepts(items(size, { a: long })))).toEqual([true, false])
  })

  test('scans no further than the first value beyond the maximum', async () => {
    const far = list(1_000_000)
    const scanned = Math.ceil((2 * JSON_BOUNDS.values) / CHARS_PER_TURN)
    expect((await parsing(far)).turns).toBeLessThanOrEqual(scanned)
  })
})
