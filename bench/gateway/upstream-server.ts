import { createServer, type ServerResponse } from 'node:http'

/*
 * An upstream with OpenAI's chat completions. Below `/v1` it answers at once, and a stream sends its first chunk at once and the
 * others at intervals; below `/slow/v1` an answer takes 50 ms to 1.5 s.
 */

const CHUNKS = 20

const CHUNK_INTERVAL_MS = 20

const [LEAST_SLOW_MS, MOST_SLOW_MS] = [50, 1500]

const COMMON = { id: 'chatcmpl-bench', created: 1_694_268_190, model: 'bench-model' }

const USAGE = { prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 }

const WHOLE = JSON.stringify({
  ...COMMON,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'x'.repeat(60) },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: USAGE,
})

const event = (fields: object): string =>
  `data: ${JSON.stringify({ ...COMMON, object: 'chat.completion.chunk', ...fields })}\n\n`

const CHUNK = event({
  choices: [{ index: 0, delta: { content: 'word' }, logprobs: null, finish_reason: null }],
})

const FINISH = event({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] })

const LAST = `${FINISH}${event({ choices: [], usage: USAGE })}data: [DONE]\n\n`

const whole = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': WHOLE.length }).end(WHOLE)
}

const streamed = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(CHUNK)
  let sent = 1
  const timer = setInterval(() => {
    sent += 1
    if (sent < CHUNKS) {
      response.write(CHUNK)
      return
    }
    clearInterval(timer)
    response.end(CHUNK + LAST)
  }, CHUNK_INTERVAL_MS)
  response.once('close', () => clearInterval(timer))
}

let slow = 0
/** Spread evenly, and the same for each run. */
const slowMs = (): number => {
  slow = (slow + 0.618_034) % 1
  return LEAST_SLOW_MS + slow * (MOST_SLOW_MS - LEAST_SLOW_MS)
}

/** Longer than a server is idle during the turns of others: it must not close a connection that is about to be used. */
const keepAliveTimeout = 600_000

const server = createServer({ keepAliveTimeout }, (request, response) => {
  let body = ''
  request.setEncoding('latin1').on('data', (text: string) => {
    body += text
  })
  request.on('end', () => {
    if (body.includes('"stream":true')) streamed(response)
    else if (request.url?.startsWith('/slow/')) setTimeout(whole, slowMs(), response)
    else whole(response)
  })
}).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  process.stdout.write(`API http://127.0.0.1:${address.port}\n`)
})
