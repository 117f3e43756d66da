import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'

export interface Stage {
  /** The base URL of the API: `http://127.0.0.1:4711/prod`. */
  readonly url: string
  close(): Promise<void>
}

/** Serves another server below `/prod`, as API Gateway serves an API below its stage, and 403 elsewhere. */
export const startStage = async (apiUrl: string): Promise<Stage> => {
  const server = createServer((incoming, outgoing) => {
    const path = /^\/prod(?=\/|\?|$)(.*)/s.exec(incoming.url ?? '')?.[1]
    if (path === undefined) {
      outgoing.writeHead(403).end('{"message":"Missing Authentication Token"}')
      return
    }
    const { method = 'GET', headers } = incoming
    const passedOn = request(new URL(path || '/', apiUrl), { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
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

/** A proxy between a browser and a server, which a test can cut off. */
export interface CutOffProxy {
  /** For the browser. */
  readonly url: string
  /** Ends all connections, and rejects new ones until `restore`. */
  cut(): void
  restore(): void
  close(): void
}

/** Forwards a free port of the loopback interface to `target`. */
export const openCutOffProxy = async (target: string): Promise<CutOffProxy> => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createTcpServer((near) => {
    keep(near)
    if (isCut) {
      near.destroy()
      return
    }
    const far = keep(connect(Number(port), hostname))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      isCut = true
      endAll()
    },
    restore() {
      isCut = false
    },
    close() {
      endAll()
      server.close()
    },
  }
}
