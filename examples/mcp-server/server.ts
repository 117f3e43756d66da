import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { type LimiterStore, type Logger, memoryStore } from 'zael'
import { createToolLimits, type ToolLimits } from 'zael/mcp'
import { z } from 'zod'

export interface ExampleLimits {
  /** Default: in memory. */
  readonly store?: LimiterStore
  /** Default: warnings on stderr. */
  readonly logger?: Logger
}

/** Five reports per session, and sixty calls of each tool per client and minute. One for all sessions of the process. */
export const createExampleLimits = ({ store = memoryStore(), logger }: ExampleLimits = {}): ToolLimits =>
  createToolLimits({
    store,
    limits: [{ name: 'cpm', limit: 60, per: 'minute' }],
    perSession: {
      resources: {
        report: [
          {
            name: 'reports',
            algorithm: 'fixed_window',
            window: 'first_use',
            window_seconds: 86_400,
            limit: 5,
          },
        ],
      },
    },
    ...(logger && { logger }),
  })

/** The server of one session. */
export const createExampleServer = (limits: ToolLimits): McpServer => {
  const server = new McpServer({ name: 'reports', version: '1.0.0' })
  const tools = limits.on(server)
  tools.registerTool(
    'report',
    {
      description: 'Writes a report. Expensive: at most five per session.',
      inputSchema: { topic: z.string().max(200) },
    },
    async ({ topic }) => ({ content: [{ type: 'text', text: `A report on ${topic}: …` }] }),
  )
  tools.registerTool('time', { description: 'The time in UTC.' }, async () => ({
    content: [{ type: 'text', text: new Date().toISOString() }],
  }))
  return server
}
