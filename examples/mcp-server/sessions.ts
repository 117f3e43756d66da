import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { ToolLimits } from 'zael/mcp'
import { createExampleServer } from './server.ts'

/** More are rejected, as a client may open any number and leave them. */
const MOST_SESSIONS = 1000

/** Handles requests to `/mcp`: each session has a server of its own, and all share the limits. */
export const createSessions = (limits: ToolLimits) => {
  const transports = new Map<string, StreamableHTTPServerTransport>()

  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        transports.set(id, transport)
      },
      onsessionclosed: (id) => {
        transports.delete(id)
      },
    })
    await createExampleServer(limits).connect(transport)
    return transport
  }

  return {
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const id = request.headers['mcp-session-id']
      const known = typeof id === 'string' ? transports.get(id) : undefined
      if (known !== undefined) return known.handleRequest(request, response)
      if (id !== undefined) return void response.writeHead(404).end()
      if (transports.size >= MOST_SESSIONS) return void response.writeHead(503).end()
      return (await open()).handleRequest(request, response)
    },
    async close(): Promise<void> {
      await Promise.all([...transports.values()].map((transport) => transport.close()))
      await limits.close()
    },
  }
}
