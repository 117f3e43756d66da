import { UpstreamFailure, type UpstreamResponse } from './exchange.ts'

/** In bytes: a response of 2048 embeddings with 3072 dimensions has some 64 MiB in decimals. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Of an error: what is longer is cut off. */
export const MAX_ERROR_BYTES = 1024 * 1024

/** A whole response is larger than `MAX_BODY_BYTES`. */
export class BodyTooLarge extends Error {
  constructor() {
    super(`a response of an upstream is larger than ${MAX_BODY_BYTES} bytes`)
    this.name = 'BodyTooLarge'
  }
}

/** Reads a body to its end. Rejects with `UpstreamFailure` or `BodyTooLarge`. */
export const readBody = async (response: UpstreamResponse): Promise<Uint8Array> => {
  const first = await response.read()
  if (first === undefined) return EMPTY
  const second = await response.read()
  if (second === undefined) return first
  const parts = [first, second]
  let size = first.byteLength + second.byteLength
  for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
    parts.push(bytes)
    size += bytes.byteLength
    if (size > MAX_BODY_BYTES) {
      response.cancel()
      throw new BodyTooLarge()
    }
  }
  return Buffer.concat(parts, size)
}

/** In ms. The status of an error is known before its body, which may never end: another upstream must not wait for it. */
const MAX_ERROR_MS = 5_000

/** Reads the body of an error, as far as it arrives in `waitMs` and up to `MAX_ERROR_BYTES`. */
export const readErrorBody = async (
  response: UpstreamResponse,
  waitMs = MAX_ERROR_MS,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  let [size, isLate] = [0, false]
  const timer = setTimeout(() => {
    isLate = true
    response.cancel()
  }, waitMs)
  try {
    for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
      parts.push(bytes)
      size += bytes.byteLength
      if (size > MAX_ERROR_BYTES) {
        response.cancel()
        break
      }
    }
  } catch (error) {
    if (!(error instanceof UpstreamFailure) || (error.failure === 'aborted' && !isLate)) throw error
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(parts, Math.min(size, MAX_ERROR_BYTES))
}

const EMPTY = new Uint8Array()

const UTF8 = new TextDecoder()

/** A copy of the bytes as text. */
export const textOf = (bytes: Uint8Array): string =>
  Buffer.isBuffer(bytes) ? bytes.toString('utf8') : UTF8.decode(bytes)
