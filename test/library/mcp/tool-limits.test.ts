import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  type JSONRPCMessage,
  McpError,
} from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  createRateLimiter,
  type LimitDefinition,
  memoryStore,
  silentLogger,
} from '../../../src/library/index.ts'
import {
  byTokenSubject,
  createToolLimits,
  REFUSAL_META,
  REFUSED_CODE,
  type ToolCall,
  type ToolLimitOptions,
  type ToolLimits,
} from '../../../src/library/mcp.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { unavailableStore, untyped } from '../middleware/test-app.ts'
import { createTableWorld } from '../table-world.ts'

const FIVE: LimitDefinition = {
  name: 'calls',
  algorithm: 'fixed_window',
  window: 'first_use',
  window_seconds: 86_400,
  limit: 5,
}
const TOKENS: LimitDefinition = { name: 'tpm', capacity: 100, refill_rate: 1, refund: 'full' }

const setUp = (options: Partial<ToolLimitOptions> = {}) => {
  const clock = createTestClock()
  const limits = createToolLimits({ clock, logger: silentLogger, ...options } as ToolLimitOptions)
  return { clock, limits }
}

/** A token that a server's verifier accepted. */
const token = (clientId: string, sub?: string): AuthInfo => ({
  token: 'secret',
  clientId,
  scopes: [],
  ...(sub !== undefined && { extra: { sub } }),
})

/** A client of a server of its own, as over stdio; with a token, as an HTTP transport passes it. */
const connect = async (server: McpServer | Server, authInfo?: AuthInfo) => {
  const client = new Client({ name: 'test', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  const send = near.send.bind(near)
  near.send = (message: JSONRPCMessage, options) =>
    send(message, { ...options, ...(authInfo && { authInfo }) })
  await Promise.all([server.connect(far), client.connect(near)])
  return client
}

/** A client whose server has a tool `research`, which echoes. */
const researcher = async (limits: ToolLimits, authInfo?: AuthInfo) => {
  const server = new McpServer({ name: 'test', version: '1' })
  const tools = limits.on(server)
  tools.registerTool('research', { inputSchema: { topic: z.string() } }, async ({ topic }) => ({
    content: [{ type: 'text', text: topic.toUpperCase() }],
  }))
  tools.registerTool('ping', {}, async () => ({ content: [{ type: 'text', text: 'pong' }] }))
  return connect(server, authInfo)
}

const call = async (client: Client, name = 'research', args: Record<string, unknown> = { topic: 'a' }) => {
  const result = (await client.callTool({ name, arguments: args })) as CallToolResult
  const [first] = result.content
  return { ...result, text: first?.type === 'text' ? first.text : undefined }
}

const refused = async (client: Client, times: number, name?: string) => {
  const results = []
  for (let index = 0; index < times; index += 1) results.push((await call(client, name)).isError === true)
  return results
}

describe('the limits of a session', () => {
  const options = { perSession: { resources: { research: [FIVE] } } }

  test('a tool may be called five times, and its handler gets its arguments', async () => {
    const { limits } = setUp(options)
    const client = await researcher(limits)
    expect((await call(client)).text).toBe('A')
    expect(await refused(client, 6)).toEqual([false, false, false, false, true, true])
    expect((await call(client, 'ping')).text).toBe('pong')
  })

  test('a refused call says what is used, of how much, and when it can pass, to a model and as data', async () => {
    const { clock, limits } = setUp(options)
    const client = await researcher(limits)
    await refused(client, 5)
    clock.advance(3600n * SECOND)
    const { text, structuredContent, _meta, isError } = await call(client)
    expect(isError).toBe(true)
    const retryAt = new Date(Number(clock.now() / 1_000_000n) + 82_800_000).toISOString()
    expect(text).toBe(
      `The limit "calls" of the tool "research" is reached: 5 of 5 calls used in this session. The same call can pass in 23 hours, at ${retryAt}; repeating it earlier is in vain.`,
    )
    const data = {
      error: 'rate_limit_exceeded',
      tool: 'research',
      message: text,
      retryAfter: 82_800,
      retryAt,
      limits: [
        {
          limit: 'calls',
          scope: 'session',
          meter: 'requests',
          used: 5,
          capacity: 5,
          requested: 1,
          retryAfter: 82_800,
        },
      ],
    }
    expect(structuredContent).toEqual(data)
    expect(_meta).toEqual({ [REFUSAL_META]: data })
  })

  test('the call passes at the stated time', async () => {
    const { clock, limits } = setUp(options)
    const client = await researcher(limits)
    await refused(client, 5)
    const { structuredContent } = await call(client)
    clock.advance(BigInt(Number(structuredContent?.retryAfter)) * SECOND)
    expect((await call(client)).isError).toBeUndefined()
  })

  test('each server without sessions is a session, however often its tools are limited', async () => {
    const { limits } = setUp(options)
    const [one, other] = [await researcher(limits), await researcher(limits)]
    expect(await refused(one, 6)).toEqual([false, false, false, false, false, true])
    expect(await refused(other, 5)).not.toContain(true)
    const server = new McpServer({ name: 'test', version: '1' })
    for (const name of ['a', 'b']) limits.on(server).registerTool(name, {}, async () => ({ content: [] }))
    const both = setUp({ perSession: { limits: [FIVE] } }).limits
    const shared = new McpServer({ name: 'test', version: '1' })
    for (const name of ['a', 'b']) both.on(shared).registerTool(name, {}, async () => ({ content: [] }))
    const client = await connect(shared)
    const results = [...(await refused(client, 3, 'a')), ...(await refused(client, 3, 'b'))]
    expect(results).toEqual([false, false, false, false, false, true])
  })

  test('all calls over HTTP without sessions share one, though each has a server of its own', async () => {
    const { limits } = setUp(options)
    const results = []
    for (let index = 0; index < 6; index += 1) {
      const server = {
        registerTool: (_: string, __: object, handler: (extra: object) => Promise<CallToolResult>) => handler,
      }
      const handler = limits.on(server).registerTool('research', {}, async () => ({ content: [] }))
      results.push((await handler({ requestInfo: { headers: {} } })).isError === true)
    }
    expect(results).toEqual([false, false, false, false, false, true])
  })

  test('the session of one caller is not used up by another', async () => {
    const { limits } = setUp({ ...options, session: () => 'shared-id' })
    const [ada, bob] = [await researcher(limits, token('ada')), await researcher(limits, token('bob'))]
    expect(await refused(ada, 6)).toContain(true)
    expect(await refused(bob, 5)).not.toContain(true)
  })
})

describe('the limits of a caller', () => {
  test('hold over all of their sessions', async () => {
    const { limits } = setUp({ resources: { research: [FIVE] } })
    const [one, other] = [await researcher(limits, token('ada')), await researcher(limits, token('ada'))]
    expect(await refused(one, 3)).not.toContain(true)
    expect(await refused(other, 3)).toEqual([false, false, true])
    expect(await refused(await researcher(limits, token('bob')), 1)).toEqual([false])
    const { text } = await call(other)
    expect(text).toContain('5 of 5 calls used by this client')
  })

  test('are those of the user where the key is the subject of the token', async () => {
    const { limits } = setUp({ resources: { research: [FIVE] }, key: byTokenSubject })
    const [ada, bob] = [
      await researcher(limits, token('app', 'ada')),
      await researcher(limits, token('app', 'bob')),
    ]
    expect(await refused(ada, 6)).toContain(true)
    expect(await refused(bob, 1)).toEqual([false])
  })

  test('are not charged by a call that the session refuses, nor the session by one that they refuse', async () => {
    const one: LimitDefinition = { ...FIVE, limit: 1 }
    const { limits } = setUp({
      resources: { research: [FIVE] },
      perSession: { resources: { research: [one] } },
    })
    const sessions = await Promise.all(Array.from({ length: 6 }, () => researcher(limits)))
    for (const client of sessions.slice(0, 5)) expect(await refused(client, 3)).toEqual([false, true, true])
    const last = sessions[5]
    if (last === undefined) throw new Error('no client')
    const { structuredContent } = await call(last)
    expect(structuredContent?.limits).toMatchObject([{ scope: 'caller', used: 5 }])
    const { structuredContent: again } = await call(last)
    expect(again?.limits).toMatchObject([{ scope: 'caller' }])
  })
})

describe('the entities and policies of a deployed zael', () => {
  const world = async (scope: 'SESSION' | 'USER') => {
    const table = createTableWorld()
    await table.addEntity('ada')
    await table.policy(scope, '*', { ...FIVE, limit: 2 })
    const clock = createTestClock()
    const limiter = createRateLimiter({ config: 'table', store: table.store, clock, logger: silentLogger })
    return setUp({ limiter, user: ({ auth }) => String(auth?.extra?.sub) }).limits
  }

  test('limit each session', async () => {
    const limits = await world('SESSION')
    const [one, other] = [await researcher(limits, token('ada')), await researcher(limits, token('ada'))]
    expect(await refused(one, 3)).toEqual([false, false, true])
    expect((await call(one)).text).toContain('2 of 2 calls used in this session')
    expect(await refused(other, 2)).toEqual([false, false])
  })

  test('limit each user', async () => {
    const limits = await world('USER')
    const [eve, bob] = [
      await researcher(limits, token('ada', 'eve')),
      await researcher(limits, token('ada', 'bob')),
    ]
    expect(await refused(eve, 3)).toEqual([false, false, true])
    expect((await call(eve)).text).toContain('2 of 2 calls used by this user')
    expect(await refused(bob, 2)).toEqual([false, false])
  })

  test('are named by the key: a client that is no entity is an error, and not allowed', async () => {
    const client = await researcher(await world('SESSION'), token('nobody'))
    expect(await call(client)).toMatchObject({ isError: true, text: expect.stringContaining('no entity') })
  })
})

test('the example in the documentation is what it says', async () => {
  const text = readFileSync(new URL('../../../docs/mcp.md', import.meta.url), 'utf8')
  const { limits } = setUp({ perSession: { resources: { research: [FIVE] } } })
  const client = await researcher(limits)
  await refused(client, 5)
  const result = await call(client)
  const [, stated = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? []
  const { content, structuredContent } = JSON.parse(stated)
  const inGeneral = (message: string | undefined) => message?.replace(/at \S+Z/, 'at …')
  expect(inGeneral(result.text)).toBe(inGeneral(content[0].text))
  const { message: _, retryAt: __, ...data } = structuredContent
  expect(result.structuredContent).toMatchObject(data)
})

describe('the cost of a call', () => {
  const costs = async (handler: () => CallToolResult, options: Partial<ToolLimitOptions> = {}) => {
    const seen: ToolCall[] = []
    const { limits } = setUp({
      limits: [TOKENS],
      cost: (toolCall) => {
        seen.push(toolCall)
        return { requests: 1, tokens: 60 }
      },
      ...options,
    })
    const server = new McpServer({ name: 'test', version: '1' })
    limits.on(server).registerTool('work', {}, async () => handler())
    const client = await connect(server)
    const result = await call(client, 'work')
    const { structuredContent } = await call(client, 'work')
    const next = Array.isArray(structuredContent?.limits) ? structuredContent.limits[0] : undefined
    return { result, seen, next }
  }
  const done: CallToolResult = {
    content: [{ type: 'text', text: 'done' }],
    structuredContent: { tokens: 50 },
  }

  test('is the estimate', async () => {
    const { next, seen } = await costs(() => done)
    expect(next).toMatchObject({ meter: 'tokens', used: 60, requested: 60, retryAfter: 20 })
    expect(seen[0]).toMatchObject({
      tool: 'work',
      args: undefined,
      auth: undefined,
      session: expect.any(String),
    })
  })

  test('is settled to what the result states', async () => {
    const settle: ToolLimitOptions['settle'] = (result) => ({
      tokens: Number(Object(Object(result).structuredContent).tokens),
    })
    expect((await costs(() => done, { settle })).next).toMatchObject({ used: 50 })
  })

  test('of a failed call is the request alone', async () => {
    const failed = await costs(() => ({ isError: true, content: [] }))
    expect(failed.next).toBeUndefined()
    const thrown = await costs(() => {
      throw new Error('no luck')
    })
    expect(thrown.result).toMatchObject({ isError: true, text: 'no luck' })
    expect(thrown.next).toBeUndefined()
  })

  test('stays the estimate where settle fails, and the result arrives', async () => {
    const { result, next } = await costs(() => done, {
      settle: () => {
        throw new Error('a mistake')
      },
    })
    expect(result.text).toBe('done')
    expect(next).toMatchObject({ used: 60 })
  })

  test('that can never fit is not worth a repetition', async () => {
    const { limits } = setUp({ limits: [TOKENS], cost: { tokens: 101 } })
    const { text, structuredContent } = await call(await researcher(limits))
    expect(text).toBe(
      'The limit "tpm" of the tool "research" can never allow this call: it needs 101 of 100 tokens. Do not repeat this call.',
    )
    expect(structuredContent).toMatchObject({ retryAfter: null, retryAt: null })
  })

  test('in money is shown in dollars', async () => {
    const budget: LimitDefinition = { ...FIVE, name: 'budget', meter: 'cost_usd_micros', limit: 1_500_000 }
    const { limits } = setUp({ limits: [budget], cost: { cost_usd_micros: 1_000_000 } })
    const client = await researcher(limits)
    await call(client)
    expect((await call(client)).text).toContain(
      '1 of 1.5 US dollars used by this client, and this call needs 1.',
    )
  })
})

test('a slot of a concurrency limit is held while the handler runs', async () => {
  const { limits } = setUp({ limits: [{ name: 'slots', algorithm: 'concurrency', limit: 1 }] })
  const server = new McpServer({ name: 'test', version: '1' })
  let finish = (_: CallToolResult): void => {}
  const work = new Promise<CallToolResult>((resolve) => {
    finish = resolve
  })
  limits.on(server).registerTool('slow', {}, () => work)
  limits.on(server).registerTool('ping', {}, async () => ({ content: [] }))
  const client = await connect(server)
  const slow = call(client, 'slow')
  expect((await call(client, 'ping')).text).toContain('1 of 1 calls at a time used by this client')
  finish({ content: [] })
  await slow
  expect((await call(client, 'ping')).isError).toBeUndefined()
})

describe('a tool with an output schema', () => {
  const weather = async (limits: ToolLimits) => {
    const server = new McpServer({ name: 'test', version: '1' })
    limits.on(server).registerTool('weather', { outputSchema: { degrees: z.number() } }, async () => ({
      content: [],
      structuredContent: { degrees: 20 },
    }))
    const client = await connect(server)
    // from now on, the client compares results with the schema
    await client.listTools()
    return client
  }

  test('shows the refusal, which the schema does not describe', async () => {
    const { limits } = setUp({ limits: [{ ...FIVE, limit: 1 }] })
    const client = await weather(limits)
    expect((await call(client, 'weather')).structuredContent).toEqual({ degrees: 20 })
    const { text, isError, structuredContent, _meta } = await call(client, 'weather')
    expect({ isError, structuredContent }).toEqual({ isError: true, structuredContent: undefined })
    expect(text).toContain('1 of 1 calls')
    expect(_meta?.[REFUSAL_META]).toMatchObject({ retryAfter: 86_400 })
  })
})

describe('a server with a handler of its own', () => {
  test('must pass what the SDK has passed to it', async () => {
    const { limits } = setUp({ limits: [FIVE] })
    const call = JSON.parse('{"tool": "research"}')
    await expect(limits.run(call, () => 1)).rejects.toThrow(/^extra must be what the SDK passes/)
  })

  test('answers a refused call with an error that has retryAfter in its data', async () => {
    const { limits } = setUp({ limits: [{ ...FIVE, limit: 1 }] })
    const server = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {} } })
    server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
      limits.run({ tool: params.name, args: params.arguments, extra }, () => ({ content: [] })),
    )
    const client = await connect(server)
    await call(client)
    const error: unknown = await call(client).catch((caught: unknown) => caught)
    if (!(error instanceof McpError)) throw new Error('no McpError')
    expect(error.code).toBe(REFUSED_CODE)
    expect(error.message).toContain('1 of 1 calls used by this client')
    expect(error.data).toMatchObject({ error: 'rate_limit_exceeded', retryAfter: 86_400 })
  })
})

describe('an unavailable store', () => {
  test('refuses calls, and says so', async () => {
    const { limits } = setUp({ limits: [FIVE], store: unavailableStore() })
    const { text, structuredContent, isError } = await call(await researcher(limits))
    expect(isError).toBe(true)
    expect(text).toContain('The limits of the tool "research" cannot be checked at the moment.')
    expect(structuredContent).toMatchObject({ error: 'unavailable', retryAfter: 1, limits: [] })
  })

  test('allows them if told to', async () => {
    const { limits } = setUp({ limits: [FIVE], store: unavailableStore(), onUnavailable: 'allow' })
    expect((await call(await researcher(limits))).text).toBe('A')
  })
})

describe('mistakes', () => {
  test.each<[string, object]>([
    ['limit', { limit: 5 }],
    ['limits', {}],
    ['perSession.limitsFor', { perSession: { limitsFor: () => [] } }],
    ['perSession', { limiter: { check() {}, reserve() {} }, perSession: {} }],
    ['perSession', { limits: [FIVE], perSession: {} }],
    ['perSession.limits[0].per', { perSession: { limits: [{ name: 'calls', limit: 5 }] } }],
    ['perSession.resources', { perSession: { resources: [FIVE] } }],
    ['leaseTtlMs', { perSession: { limits: [FIVE] }, leaseTtlMs: '1' }],
    ['key', { key: 'ada' }],
    ['cost.calls', { cost: { calls: 1 } }],
    ['limits[0].per', { limits: [{ name: 'calls', limit: 5 }] }],
  ])('in the option %s are errors at start', (field, options) => {
    expect(() => createToolLimits(untyped(options))).toThrow(expect.objectContaining({ field }))
  })

  test('in the registration of a tool are errors', () => {
    const { limits } = setUp({ limits: [FIVE] })
    expect(() => limits.on(untyped({}))).toThrow(/registerTool/)
    const tools = limits.on(new McpServer({ name: 'test', version: '1' }))
    expect(() => tools.registerTool('_total_', {}, async () => ({ content: [] }))).toThrow(/name of a tool/)
    expect(() => tools.registerTool('task', {}, untyped({ createTask() {} }))).toThrow(
      /tasks are not limited/,
    )
  })

  test('of its functions fail the call, which is not charged', async () => {
    let isBroken = true
    const { limits } = setUp({
      limits: [{ ...FIVE, limit: 1 }],
      key: () => {
        if (isBroken) throw new Error('no such caller')
        return 'ada'
      },
    })
    const client = await researcher(limits)
    expect(await call(client)).toMatchObject({ isError: true, text: 'no such caller' })
    isBroken = false
    expect((await call(client)).text).toBe('A')
  })
})

test('several processes share the limits of a store, and close', async () => {
  const store = memoryStore()
  const [one, other] = [0, 1].map(
    () => setUp({ limits: [FIVE], perSession: { limits: [FIVE] }, store }).limits,
  )
  if (one === undefined || other === undefined) throw new Error('no limits')
  expect(await refused(await researcher(one), 3)).not.toContain(true)
  expect(await refused(await researcher(other), 3)).toEqual([false, false, true])
  await Promise.all([one.flush(), other.close(), one.close()])
})
