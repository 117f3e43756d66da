import { scanJson } from '../../web/json-scan.ts'

/** What tells of use is small; a body that is larger is passed on unread. */
const MAX_BYTES = 1_048_576
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/** The body of an answer where it is JSON of at most 1 MiB; undefined of any other. The answer itself stays as it is. */
export const boundedJson = async (answer: Response): Promise<unknown> => {
  if (answer.body === null || !isPlainJson(answer.headers)) return undefined
  const text = await boundedText(answer.clone().body)
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

/** Characters that are scanned between two turns of the event loop, some 2 ms. */
const CHARS_PER_TURN = 131_072

/** Undefined of JSON with more parts than a request may have: it may repeat what a client sent, and parsing cannot yield. */
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
