import { describe, expect, test, vi } from 'vitest'
import { wireApis } from '../../../src/gateway/apis/wire-apis.ts'
import { UpstreamFailure, type UpstreamResponse } from '../../../src/gateway/upstream/exchange.ts'
import { chargeOf, parseResponse, readErrorBody } from '../../../src/gateway/upstream/whole-response.ts'

const { embeddings, chat } = wireApis

/** Embeddings of more than 256 KiB. */
const DATA = Array.from({ length: 40 }, (_, index) => ({
  object: 'embedding',
  index,
  embedding: Array.from({ length: 512 }, (_, at) => Math.sin(at)),
}))

const USAGE = { prompt_tokens: 7, total_tokens: 7, prompt_tokens_details: { cached_tokens: 0 } }

const bytesOf = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))

describe('of many embeddings', () => {
  test.each([
    ['behind them', { object: 'list', data: DATA, model: 'm', usage: USAGE }],
    ['before them', { usage: USAGE, data: DATA, extra: { a: 1 } }],
  ])('the usage %s is read without the numbers', async (_, response) => {
    const parse = vi.spyOn(JSON, 'parse')
    const parsed = parseResponse(embeddings, bytesOf(response))
    const lengths = parse.mock.calls.map(([text]) => text.length)
    parse.mockRestore()
    expect(parsed).toEqual({ usage: USAGE })
    expect(lengths).toEqual([JSON.stringify({ usage: USAGE }).length])
    expect(await chargeOf(embeddings, { inputTokens: 9 }, parsed ?? {}, async () => 1)).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 0 },
    })
  })

  test.each([
    ['without usage', { data: DATA }],
    ['with usage that is null', { data: DATA, usage: null }],
    ['with a text that looks like it', { data: DATA, model: '"usage": {' }],
  ])('a response %s is read as a whole', (_, response) => {
    expect(parseResponse(embeddings, bytesOf(response))).toEqual(response)
  })
})

test('few embeddings, and other responses of any size, are read as a whole', () => {
  const few = { data: DATA.slice(0, 2), usage: USAGE }
  expect(parseResponse(embeddings, bytesOf(few))).toEqual(few)
  const long = { choices: [{ message: { content: 'x'.repeat(500_000) } }], usage: USAGE }
  expect(parseResponse(chat, bytesOf(long))).toEqual(long)
  expect(parseResponse(chat, Buffer.from('<html>'))).toBeUndefined()
})

/** Sends these parts, and then nothing until it is cancelled or `leave` is called. */
const unending = (...parts: readonly string[]) => {
  const left = [...parts]
  let end = () => {}
  const isOver = new Promise<never>((_, reject) => {
    end = () => reject(new UpstreamFailure('aborted', { wasSent: true }))
  })
  isOver.catch(() => {})
  const response: UpstreamResponse = {
    status: 503,
    headers: {},
    async read() {
      const part = left.shift()
      return part === undefined ? isOver : Buffer.from(part)
    },
    cancel: () => end(),
  }
  return { response, leave: () => end() }
}

test('an error whose body does not end is read as far as it has arrived', async () => {
  const { response } = unending('over', 'loaded')
  expect(String(await readErrorBody(response, 1))).toBe('overloaded')
})

test('a caller that disconnects while the error of an upstream arrives ends it', async () => {
  const { response, leave } = unending('over')
  const reading = readErrorBody(response)
  leave()
  await expect(reading).rejects.toMatchObject({ failure: 'aborted' })
})
