import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http'
import { ScriptError } from '../run-command.ts'

/** Between a client and zael: records the status of every response, by the key of the caller. */
export interface Observer {
  readonly url: string
  /** The statuses of all responses to a caller, in their order. */
  statusesOf(key: string): readonly number[]
  close(): Promise<void>
}

export const startObserver = async (target: string): Promise<Observer> => {
  const statuses = new Map<string, number[]>()
  const server = createServer((request, response) =>
    forward(request, response, target, (status) => {
      const key = keyOf(request)
      const own = statuses.get(key) ?? []
      own.push(status)
      statuses.set(key, own)
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new ScriptError('the observer has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    statusesOf: (key) => statuses.get(key) ?? [],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const keyOf = ({ headers }: IncomingMessage): string =>
  String(headers['x-api-key'] ?? headers.authorization ?? '').replace(/^Bearer /, '')

const forward = (
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  record: (status: number) => void,
): void => {
  const { method, headers, url = '/' } = request
  const options = { method, headers: { ...headers, connection: 'close' } }
  const forwarded = sendRequest(target + url, options, (answer) => {
    const status = answer.statusCode ?? 500
    record(status)
    response.writeHead(status, answer.headers)
    answer.pipe(response)
  })
  forwarded.on('error', () => response.destroy())
  request.pipe(forwarded)
}
