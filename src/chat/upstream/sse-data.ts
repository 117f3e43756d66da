/** An event longer than this is no chunk of a chat. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024

/**
 * The data of each server-sent event in `body`. https://html.spec.whatwg.org/multipage/server-sent-events.html
 * Other fields and comments are dropped; an event that the end of the stream cuts off is given as far as it came.
 */
export async function* sseData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = []
  for await (const line of linesOf(body)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    if (line !== '' || data.length === 0) continue
    yield data.join('\n')
    data = []
  }
  if (data.length > 0) yield data.join('\n')
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_EVENT_CHARS) throw new Error('The upstream sent an endless line')
    for (const line of lines) yield line.replace(/\r$/, '')
  }
  if (rest !== '') yield rest
}
