import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { byTokenSubject, createToolLimits, type ToolLimitOptions } from 'zael/mcp'
import { z } from 'zod'

const options: ToolLimitOptions = {
  resources: { research: [{ name: 'calls', limit: 5, per: 'hour' }] },
  key: byTokenSubject,
  cost: ({ tool }) => ({ requests: tool.length }),
  settle: (result, { session }) => (session === undefined ? undefined : { tokens: String(result).length }),
}

export const register = (server: McpServer): void => {
  const tools = createToolLimits(options).on(server)
  tools.registerTool('double', { inputSchema: { n: z.number() } }, async ({ n }, { sessionId }) => ({
    content: [{ type: 'text', text: `${n * 2} ${sessionId?.length}` }],
  }))
  // @ts-expect-error a handler's arguments are those of the schema
  tools.registerTool('wrong', { inputSchema: { n: z.number() } }, async ({ m }) => ({ content: [m] }))
}
