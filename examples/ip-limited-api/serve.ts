import { serve } from '@hono/node-server'
import { dynamoDbStore } from 'zael/dynamodb'
import { createIpLimitedApi } from './app.ts'

const { TABLE_NAME, TRUSTED_PROXIES = '0', PORT = '3000' } = process.env

const fail = (message: string): never => {
  console.error(`example:ip: ${message}`)
  process.exit(1)
}

const wholeNumber = (name: string, text: string, most: number): number =>
  /^\d{1,5}$/.test(text) && Number(text) <= most
    ? Number(text)
    : fail(`${name} must be a whole number from 0 to ${most}, not ${text}`)

/** With TABLE_NAME, all processes on that table share the limit; the table is created if it is missing. */
const openTable = async (tableName: string) => {
  const store = dynamoDbStore({ tableName })
  await store
    .createTable()
    .catch((error: unknown) => fail(`TABLE_NAME ${tableName} cannot be used: ${error}`))
  return store
}

const port = wholeNumber('PORT', PORT, 65_535)
const app = createIpLimitedApi({
  trustedProxies: wholeNumber('TRUSTED_PROXIES', TRUSTED_PROXIES, 10),
  ...(TABLE_NAME && { store: await openTable(TABLE_NAME) }),
})

serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => {
  console.log(`http://127.0.0.1:${address.port}`)
}).on('error', ({ message }: Error) =>
  fail(`PORT ${port} cannot be listened on: ${message}; set another PORT`),
)
