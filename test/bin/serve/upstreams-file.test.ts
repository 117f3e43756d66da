import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { loadUpstreamsFile, readUpstreamsFile } from '../../../bin/serve/upstreams-file.ts'
import { StartError } from '../../../src/command-line/failure.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { SecretUnreadable } from '../../../src/core/ports/upstreams.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { anAudit, anUpstream } from '../../store/store-fixtures.ts'
import { createMemoryAdminStore } from '../../support/memory-admin-store.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const read = async (yaml: string) => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-upstreams-'))
  closing.push(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'upstreams.yaml')
  await writeFile(path, yaml)
  return readUpstreamsFile(path)
}

const rejectionOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.catch((reason: unknown) => reason)
  if (error instanceof StartError) return error.message
  throw new Error(`It was not rejected: ${String(error)}`)
}

describe('a file of upstreams', () => {
  test('has the fields of the API, as the sample file shows', async () => {
    const file = await readUpstreamsFile(
      fileURLToPath(new URL('../../../seed/upstreams.yaml', import.meta.url)),
    )
    expect([...file.upstreams.keys()]).toEqual(['openai', 'anthropic', 'bedrock-eu', 'vllm', 'default'])
    expect(file.upstreams.get('vllm')).toMatchObject({
      kind: 'openai',
      baseUrl: 'http://localhost:8000/v1',
      timeouts: { firstByteSeconds: 60, idleSeconds: 120 },
    })
    expect(file.models.get('claude-sonnet-4-5')).toMatchObject({
      tier: 'premium',
      upstreams: [
        { upstream: 'anthropic', model: null },
        { upstream: 'bedrock-eu', model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0' },
      ],
      maxOutputTokens: 8192,
    })
  })

  test.each([
    ['[]', 'UPSTREAMS_FILE must be {upstreams: {<name>: {…}}, models: {<id>: {…}}}'],
    ['', 'UPSTREAMS_FILE must be {upstreams: {<name>: {…}}, models: {<id>: {…}}}'],
    ['openai: {}', 'UPSTREAMS_FILE openai must not be given: the fields are upstreams and models'],
    ['upstreams: [a]', 'UPSTREAMS_FILE upstreams must be {<name>: {kind: <kind>, …}}'],
    ['upstreams: {a b: {kind: simulated}}', /^UPSTREAMS_FILE upstreams\.a b must be 1 to 64 of/],
    [
      'upstreams: {a: {kind: openai, base_url: https://a.example/v1, secret: sk-s3cret}}',
      /^UPSTREAMS_FILE upstreams\.a\.secret must be a reference, never a key/,
    ],
    [
      'models: {gpt-4.1: {upstreams: [{upstream: a}, {upstream: b/c}]}}',
      /^UPSTREAMS_FILE models\.gpt-4\.1\.upstreams\[1\]\.upstream must be 1 to 64 of/,
    ],
    ['upstreams: {a: {kind: openai', /^UPSTREAMS_FILE \S+ must be YAML \(line 1, column \d+\)$/],
  ])('that contains %s is rejected', async (yaml, message) => {
    expect(await rejectionOf(read(yaml))).toMatch(message)
    expect(await rejectionOf(read(yaml))).not.toContain('s3cret')
  })

  test('is rejected with every mistake', async () => {
    const message = await rejectionOf(
      read(
        'upstreams: {a: {kind: azure}, b: {kind: bedrock, region: x}}\nmodels: {c: {max_output_tokens: 0, teir: a}}',
      ),
    )
    expect(message.split('; ').map((each) => each.split(' must ')[0])).toEqual([
      'UPSTREAMS_FILE upstreams.a.kind',
      'UPSTREAMS_FILE upstreams.b.region',
      'UPSTREAMS_FILE models.c.teir',
      'UPSTREAMS_FILE models.c.max_output_tokens',
    ])
  })

  test('that cannot be read is rejected by its name', async () => {
    expect(await rejectionOf(readUpstreamsFile('/nowhere/upstreams.yaml'))).toMatch(
      /^UPSTREAMS_FILE \/nowhere\/upstreams\.yaml cannot be read: ENOENT/,
    )
  })
})

const FILE = `
upstreams:
  openai: {kind: openai, base_url: https://api.openai.com/v1, secret: env:UPSTREAM_SECRET_A, headers: {X-B: b, X-A: a}}
models:
  gpt-4: {tier: premium, upstreams: [{upstream: openai}]}
`

const start = ({ readable = true } = {}) => {
  const store = createMemoryAdminStore()
  const clock = createTestClock()
  const lines: unknown[] = []
  const logger: Logger = { ...silentLogger, info: (...line) => void lines.push(line) }
  const load = async (yaml = FILE, environmentUpstream: ReturnType<typeof anUpstream> | null = null) =>
    loadUpstreamsFile(
      {
        store,
        clock,
        secrets: randomSecrets,
        logger,
        environmentUpstream,
        processRegion: null,
        secretReader: {
          read: async (reference) => {
            if (!readable) throw new SecretUnreadable(`${reference} is not set`)
            return 'sk-of-a-provider'
          },
        },
      },
      await read(yaml),
    )
  const audit = async () => (await store.listAudit({ limit: 100 })).items
  return { store, clock, load, audit, lines }
}

describe('loading a file', () => {
  test('writes its upstreams and models, with audit records', async () => {
    const { store, load, audit, lines } = start()
    await load()
    expect(await store.upstream('openai')).toMatchObject({ kind: 'openai', headers: { 'x-a': 'a' } })
    expect(await store.model('gpt-4')).toMatchObject({ upstreams: [{ upstream: 'openai', model: null }] })
    const records = (await audit()).map(({ action, actor }) => `${action} by ${actor}`)
    expect(records.toSorted()).toEqual(['model.put by upstreams-file', 'upstream.put by upstreams-file'])
    expect(lines).toEqual([['upstreams loaded', { upstreams: 1, models: 1, changed: 2 }]])
  })

  test('writes only differences when it is loaded again, and leaves all else in the table', async () => {
    const { store, load, audit, lines, clock } = start()
    await store.putUpstream(anUpstream({ name: 'other' }), anAudit())
    await load()
    const before = await audit()
    clock.advance(1_000_000_000n)
    await load()
    expect(await audit()).toEqual(before)
    await load(FILE.replace('tier: premium', 'tier: free'))
    expect(await audit()).toHaveLength(before.length + 1)
    expect(lines.at(-1)).toMatchObject(['upstreams loaded', { changed: 1 }])
    expect((await store.listUpstreams()).map(({ name }) => name)).toEqual(['openai', 'other'])
  })

  test('writes nothing if it has a mistake, and names every one', async () => {
    const { load, audit } = start({ readable: false })
    const bedrock = '  bedrock: {kind: bedrock}\n'
    const models = 'models: {a: {upstreams: [{upstream: openai}, {upstream: nobody}]}}'
    expect(await rejectionOf(load(FILE.replace(/models:.*/s, bedrock + models)))).toBe(
      'UPSTREAMS_FILE upstreams.openai.secret must be readable by zael: env:UPSTREAM_SECRET_A is not set; ' +
        'UPSTREAMS_FILE upstreams.bedrock.region must be given: zael itself has no region (AWS_REGION); ' +
        'UPSTREAMS_FILE models.a.upstreams[1].upstream must be the name of an upstream: there is no nobody',
    )
    expect(await audit()).toEqual([])
  })

  test('may name upstreams of the table and of the environment, but not define the latter', async () => {
    const { store, load } = start()
    await store.putUpstream(anUpstream({ name: 'stored' }), anAudit())
    const fixed = anUpstream({ name: 'default' })
    await load('models: {a: {upstreams: [{upstream: stored}, {upstream: default}]}}', fixed)
    expect((await store.model('a'))?.upstreams).toHaveLength(2)
    expect(await rejectionOf(load('upstreams: {default: {kind: simulated}}', fixed))).toBe(
      'UPSTREAMS_FILE upstreams.default must not be given: UPSTREAM_BASE_URL sets this upstream',
    )
  })
})
