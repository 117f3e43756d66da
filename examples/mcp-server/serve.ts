import { createServer } from 'node:http'
import { dynamoDbStore } from 'zael/dynamodb'
import { createExampleLimits } from './server.ts'
import { createSessions } from './sessions.ts'

const { TABLE_NAME, PORT = '3000' } = process.env

/** With TABLE_NAME, all processes on that table share the limits; the table is created if it is missing. */
const openTable = async (tableName: string) => {
  const store = dynamoDbStore({ tableName })
  await store.createTable()
  return store
}

const limits = createExampleLimits(TABLE_NAME ? { store: await openTable(TABLE_NAME) } : {})
const sessions = createSessions(limits)

/** A web page whose own name resolves to this machine must not call the tools (DNS rebinding). */
const HOSTS = [`127.0.0.1:${PORT}`, `localhost:${PORT}`]

const server = createServer((request, response) => {
  if (!HOSTS.includes(request.headers.host ?? '')) return void response.writeHead(403).end()
  if (request.url !== '/mcp') return void response.writeHead(404).end()
  sessions.handle(request, response).catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})
server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/mcp`))
