import { scanJson } from '../../web/json-scan.ts'

/** Responses that contain usage are small; larger bodies are passed on unread. */
const MAX_BYTES = 1_048_576

/** Media types whose body is JSON. */
export const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/** The body of a response if it is JSON of at most 1 MiB, else undefined. The response is not changed. */
export const boundedJson = async (response: Response): Promise<unknown> => {
  if (response.body === null || !isPlainJson(response.headers)) return undefined
  const text = await boundedText(response.clone().body)
  return text === undefined ? undefined : boundedValue(text)
}

const isPlainJson = (headers: Headers): boolean =>
  JSON_TYPE.test(headers.get('content-type') ?? '') &&
  !headers.has('content-encoding') &&
  Number(headers.get('content-length') ?? 0) <= MAX_BYTES

const boundedText = async (body: ReadableStream<Uint8Array> | null): Promise<string | undefined> => {
  if (body === null) return undefined
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; ; ) {
    const { value, done } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > MAX_BYTES) break
    text += decoder.decode(value, { stream: true })
  }
  // Not awaited: it ends when the client has read the rest.
  reader.cancel().catch(() => {})
  return undefined
}

/** Characters scanned per turn of the event loop, about 2 ms. */
const CHARS_PER_TURN = 131_072

/** The value of a text if it is JSON of at most 1 MiB, else undefined. */
export const boundedJsonOf = async (text: string): Promise<unknown> =>
  // a character is at least a byte, so that longer texts need not be measured
  text.length <= MAX_BYTES && new TextEncoder().encode(text).byteLength <= MAX_BYTES
    ? boundedValue(text)
    : undefined

/** Undefined for JSON with more parts than a request may have: it may repeat input of a client, and parsing cannot yield. */
const boundedValue = async (text: string): Promise<unknown> => {
  const scan = scanJson(text)
  while (!scan.run(CHARS_PER_TURN)) await new Promise((resolve) => setTimeout(resolve, 0))
  return scan.exceeded() === undefined ? parsed(text) : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
