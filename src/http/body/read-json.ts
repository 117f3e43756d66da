import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Context } from 'hono'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import type { HeaderOf } from '../../web/client.ts'
import { JSON_BOUNDS, type JsonBounds, type JsonScan, scanJson } from '../../web/json-scan.ts'
import { ClientDisconnected } from '../errors/problem.ts'

/** A content type of JSON. */
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/**
 * The text of a JSON body of at most `maxBytes`; undefined if the request has no body. Throws `too_large` without reading
 * the rest, `unsupported_media_type`, and `ClientDisconnected` if the client disconnects before the end. A client that waits
 * for 100 Continue receives it just before its body is read.
 */
export const readJsonText = async (c: Context, maxBytes: number): Promise<string | undefined> => {
  const declared = declaredLength(c)
  if (declared === 0) return undefined
  if (declared === undefined && c.req.raw.body === null) return undefined
  if (declared !== undefined && declared > maxBytes) throw tooLarge(maxBytes)
  checkMediaType((name) => c.req.header(name))
  sendContinue(c)
  try {
    return declared === undefined ? await streamedText(c, maxBytes) : await c.req.text()
  } catch (error) {
    if (error instanceof ZaelError || !hasDisconnected(c)) throw error
    throw new ClientDisconnected({ cause: error })
  }
}

const sendContinue = (c: Context): void => {
  if (isNodeServer(c)) c.env.sendContinue?.()
}

const tooLarge = (maxBytes: number) =>
  new ZaelError('too_large', `The body must be at most ${maxBytes} bytes long`)

/** Throws `unsupported_media_type` unless the body is uncompressed JSON. */
export const checkMediaType = (header: HeaderOf): void => {
  const type = header('content-type') ?? ''
  if (type !== 'application/json' && !JSON_TYPE.test(type)) {
    throw new ZaelError('unsupported_media_type', 'Content-Type must be application/json')
  }
  const encoding = header('content-encoding') ?? 'identity'
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new ZaelError(
      'unsupported_media_type',
      'Content-Encoding must be identity: send the body uncompressed',
    )
  }
}

/**
 * The length in bytes that the server enforces; undefined if the body must be read to determine it. Node's HTTP/1.1 parser ends
 * a body after Content-Length bytes; without that header and Transfer-Encoding there is no body. On Lambda nothing checks the
 * header.
 */
const declaredLength = (c: Context): number | undefined => {
  if (!isNodeServer(c) || c.req.header('transfer-encoding') !== undefined) return undefined
  return Number.parseInt(c.req.header('content-length') ?? '0', 10)
}

/** Reads at most `maxBytes`: the rest of a larger body is not read. */
const streamedText = async (c: Context, maxBytes: number): Promise<string> => {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = c.req.raw.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true as const, value: undefined }
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    text += decoder.decode(value, { stream: true })
  }
}

interface NodeBindings {
  readonly incoming: { readonly complete?: boolean }
  /** Present if the client waits for 100 Continue and the app must send it. */
  readonly sendContinue?: () => void
}

const isNodeServer = (c: Context): c is Context<{ Bindings: NodeBindings }> =>
  typeof c.env === 'object' && c.env !== null && 'incoming' in c.env

/** Whether the connection ended before the body did. */
const hasDisconnected = (c: Context): boolean =>
  c.req.raw.signal.aborted || (isNodeServer(c) && c.env.incoming.complete === false)

/** Characters scanned between two turns of the event loop, about 0.5 ms. Texts up to this length take no turn. */
export const CHARS_PER_TURN = 32_768

export interface ParseOptions {
  readonly bounds?: JsonBounds
  /** Resolves when the event loop has served others. */
  readonly nextTurn?: () => Promise<unknown>
}

/**
 * The value of a JSON text from a client; a promise of it for a long text. Throws, or rejects with, `invalid_request` if it is
 * malformed or exceeds the bounds, which are checked first, as parsing cannot yield.
 */
export const parseJson = (text: string, options: ParseOptions = {}): unknown => {
  const { bounds = JSON_BOUNDS } = options
  if (cannotExceed(text, bounds)) return parsed(text)
  if (text.length > CHARS_PER_TURN) return parseInTurns(text, options)
  const scan = scanJson(text, bounds)
  scan.run(text.length)
  requireWithin(scan)
  return parsed(text)
}

const parseInTurns = async (
  text: string,
  { bounds = JSON_BOUNDS, nextTurn: turn = nextTurn }: ParseOptions,
): Promise<unknown> => {
  const scan = scanJson(text, bounds)
  while (!scan.run(CHARS_PER_TURN)) await turn()
  requireWithin(scan)
  await turn()
  const value = parsed(text)
  await turn()
  return value
}

const requireWithin = (scan: JsonScan): void => {
  const must = scan.exceeded()
  if (must !== undefined) throw invalid('body', must)
}

/** Without the scan, which takes longer: each value and field takes at least one character, each level an opening bracket. */
const cannotExceed = (text: string, { levels, values, fields }: JsonBounds): boolean =>
  (text.length <= Math.min(values, fields) || hasFewParts(text, Math.min(values, fields, FEW_PARTS))) &&
  (text.length <= levels || countOf(text, '[', levels) + countOf(text, '{', levels) <= levels)

/** In characters. Longer texts, and those with more parts than `FEW_PARTS`, are scanned in turns: counting must not take long. */
const MAX_COUNTED = 262_144

const FEW_PARTS = 10_000

/** Whether a text has at most `most` values and fields: all but the first follow one of these characters. A long prompt has few. */
const hasFewParts = (text: string, most: number): boolean => {
  if (text.length > MAX_COUNTED) return false
  let left = most - 1
  for (const separator of [',', ':', '[', '{']) {
    left -= countOf(text, separator, left)
    if (left < 0) return false
  }
  return true
}

/** How often a character occurs, including in strings; counts to `most` and one more. */
const countOf = (text: string, char: string, most: number): number => {
  let count = 0
  for (let at = text.indexOf(char); at >= 0 && count <= most; at = text.indexOf(char, at + 1)) count += 1
  return count
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('body', 'be well-formed JSON')
  }
}
