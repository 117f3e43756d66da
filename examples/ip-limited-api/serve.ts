import { serve } from '@hono/node-server'
import { dynamoDbStore } from 'zael/dynamodb'
import { createIpLimitedApi } from './app.ts'

const { TABLE_NAME, TRUSTED_PROXIES = '0', PORT = '3000' } = process.env

/** With TABLE_NAME the limit is shared by all processes on that table, which is made where it is missing. */
const openTable = async (tableName: string) => {
  const store = dynamoDbStore({ tableName })
  await store.createTable()
  return store
}

const app = createIpLimitedApi({
  trustedProxies: Number(TRUSTED_PROXIES),
  ...(TABLE_NAME && { store: await openTable(TABLE_NAME) }),
})

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`)
})
