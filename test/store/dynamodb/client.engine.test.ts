import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ConditionalCheckFailedException, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import {
  createDynamoClient,
  type DynamoClient,
  type DynamoClientOptions,
} from '../../../src/store/dynamodb/client.ts'
import { TEST_CREDENTIALS } from '../../engine/start-dynalite.ts'
import { testClock } from '../../engine/test-table.ts'

type Respond = (request: IncomingMessage, response: ServerResponse) => void

const open: { readonly server: Server; readonly client: DynamoClient }[] = []
afterEach(async () => {
  for (const { server, client } of open.splice(0)) {
    client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** The bodies of the requests of all servers. */
const bodies = new WeakMap<IncomingMessage, string>()

/** A client of a server on a free port, that responds as the test says. */
const clientOf = async (
  respond: Respond,
  options: Partial<DynamoClientOptions> = {},
): Promise<DynamoClient> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.once('end', () => {
      bodies.set(request, Buffer.concat(chunks).toString())
      respond(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const client = createDynamoClient({
    clock: testClock,
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    // a busy machine is no slow store
    deadlineMs: 30_000,
    ...options,
  })
  open.push({ server, client })
  return client
}

const call = (client: DynamoClient): Promise<unknown> =>
  client.run((sdk) =>
    sdk.send(new GetItemCommand({ TableName: 't', Key: { PK: { S: 'a' }, SK: { S: 'b' } } })),
  )

const json = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}

describe('a call of the store', () => {
  test('ends at its deadline without a response, and may have been applied', async () => {
    const client = await clientOf(() => {}, { deadlineMs: 100 })
    const began = performance.now()
    await expect(call(client)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      mayHaveApplied: true,
      message: 'The store did not respond in time',
    })
    expect(performance.now() - began).toBeGreaterThanOrEqual(95)
  })

  test('ends at its deadline if the response stops in the middle', async () => {
    const client = await clientOf(
      (_, response) => response.writeHead(200, { 'content-length': 100 }).write('{'),
      {
        deadlineMs: 100,
      },
    )
    await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: true })
  })

  test('is sent once, whatever goes wrong', async () => {
    let calls = 0
    const client = await clientOf((_, response) => {
      calls += 1
      json(response, 500, { __type: 'InternalServerError' })
    })
    await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: true })
    expect(calls).toBe(1)
  })

  test.each(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])(
    'is marked as throttled: %s',
    async (name) => {
      const __type = `com.amazonaws.dynamodb.v20120810#${name}`
      const client = await clientOf((_, response) => json(response, 400, { __type, message: 'too much' }))
      const refused = { name: 'StoreUnavailable', isThrottled: true, mayHaveApplied: false }
      await expect(call(client)).rejects.toMatchObject(refused)
    },
  )

  test('may have been applied if the connection breaks', async () => {
    const client = await clientOf((request) => request.socket.destroy())
    await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: true })
  })

  test('is not applied if throttled', async () => {
    const type = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException'
    const client = await clientOf((_, response) => json(response, 400, { __type: type }))
    await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: false })
  })

  test('is not applied if the connection is refused', async () => {
    const client = await clientOf(() => {})
    const [{ server } = { server: undefined }] = open
    await new Promise((resolve) => server?.close(resolve))
    await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: false })
  })

  test('does not count our own queue against its deadline', async () => {
    const held: ServerResponse[] = []
    const client = await clientOf((_, response) => held.push(response), {
      deadlineMs: 200,
      maxInFlight: 1,
      maxWaitMs: 30_000,
    })
    const first = call(client)
    const second = call(client)
    second.catch(() => {})
    // the first one takes all of its time, in which the second one waits
    await expect(first).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await vi.waitFor(() => expect(held).toHaveLength(2), { timeout: 30_000, interval: 1 })
    json(held[1] ?? expect.fail(), 200, {})
    await second
  })

  test('sends no more at once than it may', async () => {
    const held: ServerResponse[] = []
    let most = 0
    const respondToAll = (): void => {
      most = Math.max(most, held.length)
      for (const response of held.splice(0)) json(response, 200, {})
    }
    const client = await clientOf(
      (_, response) => {
        // a fifth one would come before the four have a response
        if (held.push(response) === 4) setImmediate(() => setImmediate(respondToAll))
      },
      { maxInFlight: 4, maxWaitMs: 30_000 },
    )
    await Promise.all(Array.from({ length: 40 }, () => call(client)))
    expect(most).toBe(4)
  })

  test('does not count a stalled event loop as a slow store', async () => {
    const client = await clientOf((_, response) => json(response, 200, {}), { deadlineMs: 100 })
    await call(client)
    const called = call(client)
    await new Promise((resolve) => setImmediate(resolve))
    const end = performance.now() + 500
    while (performance.now() < end);
    await called
  })

  test('is signed by the credentials of its time', async () => {
    const signedBy: unknown[] = []
    let renewed = 0
    const credentials = async () => {
      renewed += 1
      return { accessKeyId: `key${renewed}`, secretAccessKey: 'secret', expiration: new Date(0) }
    }
    const client = await clientOf(
      ({ headers }, response) => {
        signedBy.push(/Credential=(\w+)\/\d{8}\/us-east-1\/dynamodb\//.exec(headers.authorization ?? '')?.[1])
        json(response, 200, {})
      },
      { credentials },
    )
    await call(client)
    const before = renewed
    await call(client)
    expect(renewed).toBeGreaterThan(before)
    expect(signedBy[1]).toBe(`key${renewed}`)
    expect(signedBy[0]).toMatch(/^key\d+$/)
    expect(signedBy[0]).not.toBe(signedBy[1])
  })

  test('is signed after the region could not be read at first', async () => {
    let reads = 0
    const region = async (): Promise<string> => {
      reads += 1
      if (reads === 1) throw new Error('no region yet')
      return 'eu-west-1'
    }
    const scopes: unknown[] = []
    const client = await clientOf(
      ({ headers }, response) => {
        scopes.push(/Credential=\w+\/\d{8}\/([^/]+)\//.exec(headers.authorization ?? '')?.[1])
        json(response, 200, {})
      },
      { region },
    )
    await expect(call(client)).rejects.toThrow()
    await call(client)
    expect(scopes).toEqual(['eu-west-1'])
  })

  test('passes items on as JSON, and reads errors with the item that failed a condition', async () => {
    const key = { PK: { S: 'ä"\u2028' }, SK: { S: 'b' } }
    const received: unknown[] = []
    const responses = [
      [200, { Attributes: { ...key, n: { N: '1' } } }],
      [400, { __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', Item: key }],
    ] as const
    const client = await clientOf((request, response) => {
      received.push(request.headers['x-amz-target'], JSON.parse(bodies.get(request) ?? ''))
      const [status, body] = responses[received.length / 2 - 1] ?? [500, {}]
      json(response, status, body)
    })
    const input = { TableName: 't', Key: key, UpdateExpression: 'ADD #0 :0', ReturnValues: undefined }
    const write = () => client.run((sdk) => sdk.send(new UpdateItemCommand(input)))
    expect(await write()).toEqual({
      Attributes: { ...key, n: { N: '1' } },
      $metadata: { httpStatusCode: 200 },
    })
    const { ReturnValues: _, ...sent } = input
    expect(received).toEqual(['DynamoDB_20120810.UpdateItem', sent])
    const failed = await write().catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(ConditionalCheckFailedException)
    expect(failed).toMatchObject({ Item: key })
  })

  test('may have been applied if the response is no JSON', async () => {
    for (const body of ['', '1', '{"Attributes":']) {
      const client = await clientOf((_, response) => response.end(body))
      await expect(call(client)).rejects.toMatchObject({ name: 'StoreUnavailable', mayHaveApplied: true })
    }
  })

  test('keeps its connections', async () => {
    const ports = new Set<number | undefined>()
    const client = await clientOf((request, response) => {
      ports.add(request.socket.remotePort)
      json(response, 200, {})
    })
    for (let i = 0; i < 5; i += 1) await call(client)
    expect(ports.size).toBe(1)
  })

  test('measures the clock skew by the Date of the response', async () => {
    const warnings: unknown[] = []
    const logger: Logger = {
      ...silentLogger,
      warn: (message, fields) => warnings.push({ message, ...fields }),
    }
    const behind = new Date(Date.now() - 60_000).toUTCString()
    const client = await clientOf((_, response) => json(response.setHeader('date', behind), 200, {}), {
      logger,
    })
    await call(client)
    expect(client.skew.trust()).toBe('untrusted')
    expect(warnings).toEqual([
      { message: 'clock differs from the store', skew_ms: expect.closeTo(59_500, -3) },
    ])
  })
})

describe('a call before the SDK is loaded', () => {
  afterEach(() => vi.useRealTimers())

  const loadSdk = () => import('../../../src/store/dynamodb/sdk.ts')

  test('waits for it, which does not count against its deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    let isLoaded = (): void => expect.fail('not loading')
    const loading = new Promise<void>((resolve) => {
      isLoaded = resolve
    })
    const client = await clientOf((_, response) => json(response, 200, {}), {
      loadSdk: () => loading.then(loadSdk),
      deadlineMs: 100,
      maxWaitMs: 100,
    })
    const called = call(client)
    await vi.advanceTimersByTimeAsync(60_000)
    isLoaded()
    expect(await called).toMatchObject({ $metadata: { httpStatusCode: 200 } })
  })

  test('is unavailable and not applied if it cannot be loaded, is logged once, and the next call tries again', async () => {
    const logged: unknown[] = []
    const error: Logger['error'] = (message, fields) => logged.push({ message, ...fields })
    let isBroken = true
    const client = await clientOf((_, response) => json(response, 200, {}), {
      logger: { ...silentLogger, error },
      loadSdk: async () => {
        if (isBroken) throw new Error('Cannot find module sdk.mjs')
        return loadSdk()
      },
    })
    const failed = { name: 'StoreUnavailable', mayHaveApplied: false, isThrottled: false }
    await expect(call(client)).rejects.toMatchObject(failed)
    await expect(call(client)).rejects.toMatchObject(failed)
    await vi.waitFor(() => expect(logged).toHaveLength(1))
    expect(logged[0]).toMatchObject({
      message: 'store unavailable',
      reason: 'the AWS SDK could not be loaded: Cannot find module sdk.mjs',
      region: 'none',
    })
    isBroken = false
    expect(await call(client)).toMatchObject({ $metadata: { httpStatusCode: 200 } })
  })

  test('leaves no connection open if the client is closed meanwhile', async () => {
    let destroyed = 0
    const client = await clientOf((_, response) => json(response, 200, {}), {
      loadSdk: async () => {
        const { openSdk } = await loadSdk()
        return {
          openSdk(...args: Parameters<typeof openSdk>) {
            const sdk = openSdk(...args)
            vi.spyOn(sdk.client, 'destroy').mockImplementation(() => {
              destroyed += 1
            })
            return sdk
          },
        }
      },
    })
    const called = call(client)
    client.close()
    expect(destroyed).toBe(0)
    await called
    expect(destroyed).toBe(1)
  })
})
