import { createServer } from 'node:http'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { connectTo } from '../../src/compose/connect.ts'

const RESPONSE_MS = 200

/** More than any call waits for capacity on a remote store, which serves many at once. */
const CALLS = 120

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A slow engine that counts concurrent requests. */
const countingEngine = async () => {
  let most = 0
  let outgoing = 0
  const server = createServer((request, response) => {
    outgoing += 1
    most = Math.max(most, outgoing)
    request.resume().on('end', () =>
      setTimeout(() => {
        outgoing -= 1
        response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}')
      }, RESPONSE_MS),
    )
  })
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { endpoint: `http://127.0.0.1:${address.port}`, most: () => most }
}

test('the calls in flight to an engine on this machine are bounded', async () => {
  const { endpoint, most } = await countingEngine()
  const host = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }
  const client = connectTo(host)({ deadlineMs: 5000 })
  closing.push(client.close)
  const send = () =>
    client.run((sdk) => sdk.send(new GetItemCommand({ TableName: 'ZAEL-x', Key: { PK: { S: 'a' } } })))
  await Promise.all(Array.from({ length: CALLS }, send))
  expect(most()).toBeGreaterThan(1)
  expect(most()).toBeLessThanOrEqual(8)
})
