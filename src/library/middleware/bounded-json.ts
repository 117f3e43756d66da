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
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
