import { Server } from 'node:http'
import { createRequire } from 'node:module'

/** A DynamoDB engine in this process, in memory, on a free loopback port. */
export interface TestEngine {
  readonly endpoint: string
  /** Closes at once, whoever is still connected. */
  close(): Promise<void>
}

/** Credentials that a local engine takes: any. */
export const TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

export const startDynalite = async (): Promise<TestEngine> => {
  const dynalite: unknown = createRequire(import.meta.url)('dynalite')
  if (typeof dynalite !== 'function') throw new TypeError('dynalite is no function')
  const server: unknown = dynalite({ createTableMs: 0, deleteTableMs: 0 })
  if (!(server instanceof Server)) throw new TypeError('dynalite made no server')
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('dynalite has no port')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
