import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Stage {
  /** Where the API is found: `http://127.0.0.1:4711/prod`. */
  readonly url: string
  close(): Promise<void>
}

/** A server that shows another one below `/prod`, as API Gateway shows an API below its stage; nothing else is there. */
export const startStage = async (apiUrl: string): Promise<Stage> => {
  const server = createServer((incoming, outgoing) => {
    const path = /^\/prod(?=\/|\?|$)(.*)/s.exec(incoming.url ?? '')?.[1]
    if (path === undefined) {
      outgoing.writeHead(403).end('{"message":"Missing Authentication Token"}')
      return
    }
    const { method = 'GET', headers } = incoming
    const passedOn = request(new URL(path || '/', apiUrl), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    outgoing.on('close', () => passedOn.destroy())
    passedOn.on('error', () => outgoing.destroy())
    incoming.pipe(passedOn)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/prod`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
