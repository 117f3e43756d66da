/** What tells of use is small; a body that is larger is passed on unread. */
const MAX_BYTES = 1_048_576
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/** The body of an answer where it is JSON of at most 1 MiB; undefined of any other. The answer itself stays as it is. */
export const boundedJson = async (answer: Response): Promise<unknown> => {
  if (answer.body === null || !isPlainJson(answer.headers)) return undefined
  const text = await boundedText(answer.clone().body)
  return text === undefined ? undefined : parsed(text)
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

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
