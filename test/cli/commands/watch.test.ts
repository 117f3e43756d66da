import { describe, expect, test } from 'vitest'
import type { Host } from '../../../cli/host.ts'
import { createTestCli, runCli } from '../test-cli.ts'

const SESSION = { role: 'admin', streams: true, node_id: null, version: '1', default_model: 'gpt-4' }

const entity = (id: string, available: number) => ({
  entity_id: id,
  name: id,
  parent_id: null,
  limits: [
    {
      name: 'rpm',
      resource: '_default_',
      capacity: 10,
      available,
      utilization_percent: 100 - available * 10,
    },
  ],
})

const event = (data: object): string => `event: entities\ndata: ${JSON.stringify(data)}\nretry: 2000\n\n`

/** Responses by path, in turn; the program is stopped when one of them is used up. */
const serverOf = (responses: Readonly<Record<string, (() => Response | Promise<Response>)[]>>) => {
  const stopping = new AbortController()
  const fetch: Host['fetch'] = async (url) => {
    const { pathname } = new URL(url)
    const next = responses[pathname]?.shift()
    if (next !== undefined) return next()
    stopping.abort()
    throw new TypeError('aborted')
  }
  return { fetch, stopped: stopping.signal }
}

const session = (more: object = {}) => [() => Response.json({ ...SESSION, ...more })]

const watch = (server: ReturnType<typeof serverOf>, args: readonly string[] = [], isTerminal = false) =>
  runCli(['watch', ...args], { ...server, isTerminal, environment: { TERM: 'dumb' } })

describe('zael watch', () => {
  test('prints one line of JSON for each change that is streamed, also after the stream has ended', async () => {
    const stream = [
      () =>
        new Response(
          [
            event({ entities: [entity('a', 10), entity('b', 5)], next_cursor: null }),
            ': heartbeat\n\n',
            event({ entities: [entity('a', 7)], removed: ['b'], next_cursor: null }),
          ].join(''),
        ),
      () => new Response('', { status: 503 }),
      () => new Response(event({ entities: [entity('c', 0)], next_cursor: null })),
    ]
    const { code, stdout, stderr } = await watch(
      serverOf({ '/api/dashboard/session': session(), '/api/dashboard/stream': stream }),
      ['--json'],
    )
    expect(code).toBe(0)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(
      lines.map(({ limits }) =>
        limits.map((limit: { entity: string; used: number }) => [limit.entity, limit.used]),
      ),
    ).toEqual([
      [
        ['a', 0],
        ['b', 5],
      ],
      [['a', 3]],
      [['c', 10]],
    ])
    expect(stderr).toMatch(/^zael: \S+ responded with 503/)
  })

  test('draws on the alternate screen of a terminal, and leaves it', async () => {
    const stream = [() => new Response(event({ entities: [entity('a', 5)], next_cursor: null }))]
    const { code, stdout } = await watch(
      serverOf({ '/api/dashboard/session': session(), '/api/dashboard/stream': stream }),
      [],
      true,
    )
    expect(code).toBe(0)
    expect(
      stdout.startsWith('\u001b[?1049h\u001b[?25l\u001b[Hhttp://localhost:8080  2023-11-14 22:13:20Z'),
    ).toBe(true)
    expect(stdout).toMatch(/\na {2}_default_ rpm {2}█+░+ {2} 50\.0 % {2}5\/10/)
    expect(stdout.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  })

  test('reads again where the server cannot stream', async () => {
    const reads = [10, 4].map(
      (available) => () => Response.json({ entities: [entity('a', available)], next_cursor: null }),
    )
    const { stdout } = await watch(
      serverOf({ '/api/dashboard/session': session({ streams: false }), '/api/dashboard/entities': reads }),
      ['--json'],
    )
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).limits[0].used),
    ).toEqual([0, 6])
  })

  test('prints one list where there is no terminal, of entities or of the key', async () => {
    const { zael, send } = createTestCli()
    await zael(['entities', 'create', 'key-ci'])
    await zael(['limits', 'set', 'key-ci', 'rpm=10/minute'])
    const secret = 'a-secret-of-16-characters'
    await send('POST', '/api/entities/key-ci/keys', { body: { secret } })
    for (const token of ['the-admin-token', secret]) {
      const { code, stdout } = await zael(['watch', 'key'], { environment: { ZAEL_TOKEN: token } })
      expect(code).toBe(0)
      expect(stdout).toMatch(/\nkey-ci {2}_default_ rpm +░+ +0\.0 % +0\/10\n/)
    }
  })

  test('fails if the first read fails', async () => {
    const { code, stderr } = await watch(
      serverOf({
        '/api/dashboard/session': session(),
        '/api/dashboard/stream': [() => Promise.reject(new TypeError('fetch failed'))],
      }),
    )
    expect(code).toBe(5)
    expect(stderr).toContain('cannot be reached')
  })
})
