import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { silentLogger } from 'zael'
import { createToolLimits } from 'zael/mcp'
import { z } from 'zod'

const limits = createToolLimits({
  perSession: { limits: [{ name: 'calls', limit: 1, per: 'hour' }] },
  logger: silentLogger,
})
const server = new McpServer({ name: 'check', version: '1.0.0' })
limits.on(server).registerTool('double', { inputSchema: { n: z.number() } }, async ({ n }) => ({
  content: [{ type: 'text', text: String(2 * n) }],
}))

const [near, far] = InMemoryTransport.createLinkedPair()
const client = new Client({ name: 'check', version: '1.0.0' })
await Promise.all([server.connect(far), client.connect(near)])
const call = () => client.callTool({ name: 'double', arguments: { n: 2 } })
const errors = [(await call()).isError === true, (await call()).isError === true]
if (errors.join() !== 'false,true') throw new Error(`the second call should be refused: ${errors}`)
await limits.close()
