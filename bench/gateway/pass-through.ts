import { createServer } from 'node:http'
import { Pool } from 'undici'

/** The least that a gateway can do: passes requests to `BENCH_UPSTREAM` without reading, counting or limiting anything. */
const pool = new Pool(process.env.BENCH_UPSTREAM ?? '')

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', async () => {
    const { authorization = '', 'content-type': type = '' } = request.headers
    const answer = await pool.request({
      path: request.url ?? '',
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: Buffer.concat(parts),
    })
    response.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] ?? '' })
    if (answer.headers['content-length'] === undefined) answer.body.pipe(response)
    else response.end(Buffer.from(await answer.body.arrayBuffer()))
  })
}).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  process.stdout.write(`API http://127.0.0.1:${address.port}\n`)
})
