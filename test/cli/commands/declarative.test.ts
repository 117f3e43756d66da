import { describe, expect, test } from 'vitest'
import { anUpstream } from '../../store/store-fixtures.ts'
import { createTestCli, type TestCli } from '../test-cli.ts'

const FILE = `
upstreams:
  direct: {kind: openai, base_url: https://api.openai.com/v1, secret: env:UPSTREAM_SECRET_OPENAI}
models:
  gpt-4o:
    tier: premium
    prices: {input_per_million: 2.5, output_per_million: 10}
    upstreams: [{upstream: direct}]
defaults:
  system:
    _default_: [{name: rpm, limit: 60, per: minute}]
  roles:
    admin:
      gpt-4o: [{name: rpm, limit: 600, per: minute}]
entities:
  team-a-key: {parent_id: team-a, priority: high, disabled: true}
  team-a:
    name: Team A
    parent_id: acme
    limits:
      _default_: [{name: rpm, limit: 30, per: minute}, {name: tpd, algorithm: fixed_window, limit: 1000000, window: day}]
      gpt-4o: [{name: rpm, capacity: 10, refill_rate: 0.5}]
  acme: {kind: tenant, role: admin}
policies:
  TENANT/acme: [{name: rph, algorithm: sliding_window, limit: 500, window_seconds: 3600}]
  USER_MODEL/ann/gpt-4o: [{name: rpm, limit: 5, per: minute}]
alerts:
  budget: {entity_id: team-a, sns_topic_arn: "arn:aws:sns:eu-central-1:123456789012:alerts"}
`

const withFile = async (text = FILE): Promise<TestCli & { readonly files: Record<string, string> }> => {
  const cli = createTestCli()
  const files = { 'zael.yaml': text }
  const { code, stderr } = await cli.zael(['apply', '--yes'], { files })
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return { ...cli, files }
}

const declared = (text: string) => ({ files: { 'zael.yaml': text } })

describe('zael apply', () => {
  test('creates everything that the file declares, in an order that the API accepts', async () => {
    const { zael, files, send } = await withFile()
    expect(await zael(['diff'], { files })).toMatchObject({
      code: 0,
      stdout: 'Nothing to change: zael has what the file declares.\n',
    })
    expect((await send('GET', '/api/entities/team-a-key')).body).toMatchObject({
      name: 'team-a-key',
      parent_id: 'team-a',
      priority: 'high',
      disabled: true,
    })
    expect((await send('GET', '/api/limits/team-a?resource=gpt-4o')).body).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ name: 'rpm', capacity: 10, refill_rate: 0.5, source: 'entity:gpt-4o' }),
      ]),
    })
    expect((await send('GET', '/api/defaults?role=admin&resource=gpt-4o')).body).toMatchObject({
      limits: [{ capacity: 600 }],
    })
    expect((await send('GET', '/api/policies/USER_MODEL/ann/gpt-4o')).status).toBe(200)
    expect((await send('GET', '/api/alerts/budget')).body).toMatchObject({ shares: [0.8, 1] })
  })

  test('prints the plan, and changes nothing with --dry-run or a no', async () => {
    const { zael, send } = createTestCli()
    const dry = await zael(['apply', '--dry-run'], declared(FILE))
    expect(dry.code).toBe(0)
    expect(dry.stdout).toMatch(/^\+ upstream direct\n {4}kind: openai\n/)
    expect(dry.stdout).toContain(
      '\n+ limits of team-a on gpt-4o\n    rpm: {capacity: 10, refill_rate: 0.5}\n',
    )
    expect(dry.stdout).toContain('\n12 to create, 0 to change, 0 to delete.\n')
    const declined = await zael(['apply'], { ...declared(FILE), answer: 'n' })
    expect(declined).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was changed') })
    const unattended = await zael(['apply'], declared(FILE))
    expect(unattended).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect((await send('GET', '/api/entities')).body).toMatchObject({ items: [] })
  })

  test('asks before it applies', async () => {
    const { zael, send } = createTestCli()
    const { code, stderr } = await zael(['apply'], { ...declared(FILE), answer: 'y' })
    expect(code).toBe(0)
    expect(stderr).toContain('Apply this to http://zael.example.com/stage? [y/N]')
    expect((await send('GET', '/api/entities/acme')).status).toBe(200)
  })

  test('shows old and new values of what changes, and changes only that', async () => {
    const { zael, store } = await withFile()
    const text = FILE.replace('limit: 30, per: minute', 'limit: 40, per: minute').replace('Team A', 'Team B')
    const before = (await store.listAudit({ limit: 100 })).items.length
    const { code, stdout } = await zael(['apply', '--yes'], declared(text))
    expect(code).toBe(0)
    expect(stdout).toBe(
      [
        '~ entity team-a',
        '    name: "Team A" -> "Team B"',
        '~ limits of team-a on _default_',
        '    rpm: {limit: 30, per: minute} -> {limit: 40, per: minute}',
        '',
        '0 to create, 2 to change, 0 to delete.',
        'Applied: 0 created, 2 changed, 0 deleted.',
        '',
      ].join('\n'),
    )
    expect((await store.listAudit({ limit: 100 })).items).toHaveLength(before + 2)
  })

  test('prints the plan and its account as one JSON value', async () => {
    const { zael } = createTestCli()
    const text = 'entities: {acme: {kind: tenant}}'
    const change = {
      does: 'create',
      kind: 'entity',
      id: 'acme',
      step: 0,
      before: null,
      after: { kind: 'tenant' },
    }
    const dry = await zael(['apply', '--dry-run', '--json'], declared(text))
    expect(JSON.parse(dry.stdout)).toEqual({ changes: [change], extra: [], applied: 0 })
    const done = await zael(['apply', '--yes', '--json'], declared(text))
    expect(JSON.parse(done.stdout)).toEqual({
      changes: [change],
      extra: [],
      applied: 1,
      failed: [],
      left: [],
    })
  })

  test('leaves what the file does not contain, and what it does not mention', async () => {
    const { zael, send } = await withFile()
    const { code, stdout } = await zael(
      ['apply', '--yes'],
      declared('entities: {acme: {kind: tenant, role: admin}}'),
    )
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        'Nothing to change: zael has what the file declares.\nNot in the file, left as they are without --prune: entity team-a, entity team-a-key.\n',
    })
    expect((await send('GET', '/api/entities/team-a-key')).status).toBe(200)
  })

  test('deletes with --prune, children first, only in mappings that the file contains', async () => {
    const { zael, send } = await withFile()
    const text = 'entities: {acme: {kind: tenant, role: admin}}\nalerts: {}'
    const { code, stdout } = await zael(['apply', '--prune', '--yes'], declared(text))
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.startsWith('-'))).toEqual([
      '- alert budget',
      '- entity team-a-key, its keys and its limits',
      '- entity team-a, its keys and its limits',
    ])
    expect((await send('GET', '/api/entities/team-a')).status).toBe(404)
    expect((await send('GET', '/api/policies/TENANT/acme')).status).toBe(200)
    expect((await send('GET', '/api/models/gpt-4o')).status).toBe(200)
  })

  test('keeps an entity disabled unless the file enables it', async () => {
    const { zael, send } = await withFile()
    await send('PATCH', '/api/entities/acme', { body: { disabled: true } })
    expect((await zael(['apply', '--yes'], declared(FILE))).code).toBe(0)
    expect((await send('GET', '/api/entities/acme')).body).toMatchObject({ disabled: true })
    const text = FILE.replace('kind: tenant,', 'kind: tenant, disabled: false,')
    expect((await zael(['apply', '--yes'], declared(text))).stdout).toContain('    - disabled: true\n')
    expect((await send('GET', '/api/entities/acme')).body).toMatchObject({ disabled: false })
  })

  test('deletes the limits of an empty list', async () => {
    const { zael, send } = await withFile()
    const text = FILE.replace('[{name: rpm, capacity: 10, refill_rate: 0.5}]', '[]')
    const { stdout } = await zael(['apply', '--yes'], declared(text))
    expect(stdout).toContain('- limits of team-a on gpt-4o\n    rpm: {capacity: 10, refill_rate: 0.5}\n')
    expect((await send('GET', '/api/limits/team-a?resource=gpt-4o')).body).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ name: 'rpm', capacity: 30, source: 'entity:_default_' }),
      ]),
    })
    expect((await zael(['diff'], declared(text))).code).toBe(0)
  })
})

describe('zael apply against another administrator', () => {
  /** Makes `edit` once, just before the first change of the plan is sent. */
  const interrupted = (cli: TestCli, edit: () => Promise<unknown>) => {
    let isDue = true
    return async (url: string, init: RequestInit): Promise<Response> => {
      if (init.method !== 'GET' && isDue) {
        isDue = false
        await edit()
      }
      const { pathname, search } = new URL(url)
      return cli.app.request(`${pathname.replace('/stage', '')}${search}`, init)
    }
  }

  test.each([
    ['PATCH', '/api/entities/team-a', { name: 'Theirs' }, 'entity team-a'],
    ['DELETE', '/api/entities/team-a-key', undefined, 'entity team-a-key'],
    ['PUT', '/api/limits/team-a', { limits: [] }, 'limits of team-a on _default_'],
    ['PUT', '/api/models/gpt-4o', { tier: 'theirs' }, 'model gpt-4o'],
    ['PUT', '/api/upstreams/direct', { kind: 'simulated' }, 'upstream direct'],
    ['PUT', '/api/defaults', { limits: [] }, 'defaults on _default_'],
    ['DELETE', '/api/policies/TENANT/acme', undefined, 'policy TENANT/acme'],
    ['DELETE', '/api/alerts/budget', undefined, 'alert budget'],
  ])('stops at what was changed meanwhile, and names it: %s %s', async (method, path, body, name) => {
    const cli = await withFile()
    // every item of the file changes
    const text = FILE.replaceAll('limit: ', 'limit: 1')
      .replace('tier: premium', 'tier: other')
      .replace('kind: openai,', 'kind: openai, total_timeout_seconds: 5,')
      .replaceAll('parent_id: ', 'cascade: false, parent_id: ')
      .replace('name: Team A\n    cascade: false, parent_id: acme', 'name: Team B\n    parent_id: acme')
      .replace('entity_id: team-a,', 'entity_id: team-a, shares: [0.5],')
    const fetch = interrupted(cli, () => cli.send(method, path, body === undefined ? {} : { body }))
    const { code, stdout, stderr } = await cli.zael(['apply', '--yes'], { ...declared(text), fetch })
    expect({ code, stderr }).toMatchObject({ code: 7, stderr: expect.stringContaining('1 failed') })
    expect(stdout).toContain(`\nChanged by somebody else since the plan was made: ${name}: `)
    expect(stdout).toMatch(/\nApplied: (nothing|\d+)\n/)
    expect(stdout).toContain('\nNot applied: ')
    // the next plan is based on what is there now
    expect((await cli.zael(['apply', '--yes'], declared(text))).code).toBe(0)
    expect((await cli.zael(['diff'], declared(text))).code).toBe(0)
  })

  test('reports an entity that somebody else has created', async () => {
    const cli = createTestCli()
    const fetch = interrupted(cli, () =>
      cli.send('POST', '/api/entities', { body: { entity_id: 'acme', name: 'Theirs' } }),
    )
    const { code, stdout } = await cli.zael(['apply', '--yes'], { ...declared(FILE), fetch })
    expect(code).toBe(7)
    expect(stdout).toContain('Changed by somebody else since the plan was made: entity acme: ')
    expect((await cli.send('GET', '/api/entities/acme')).body).toMatchObject({ name: 'Theirs' })
  })

  test('reports a change whose response is lost as unknown, and continues when it is run again', async () => {
    const cli = createTestCli()
    const fetch = async (url: string, init: RequestInit): Promise<Response> => {
      const { pathname, search } = new URL(url)
      const response = await cli.app.request(`${pathname.replace('/stage', '')}${search}`, init)
      if (init.method === 'PUT' && pathname.includes('/models/')) throw new TypeError('fetch failed')
      return response
    }
    const { code, stdout } = await cli.zael(['apply', '--yes'], { ...declared(FILE), fetch })
    expect(code).toBe(5)
    expect(stdout).toContain('\nUnknown, may have been applied: model gpt-4o: ')
    expect(stdout).toContain('\nApplied: 1\n  + upstream direct\nNot applied: 10\n')
    expect((await cli.zael(['apply', '--yes'], declared(FILE))).stdout).toContain('\n10 to create, ')
  })

  test('stops at a change that the API rejects', async () => {
    const cli = createTestCli({
      checkAlertTarget: async () => ({
        field: 'sns_topic_arn',
        must: 'be a topic that the deployment allows',
      }),
    })
    const { code, stdout } = await cli.zael(['apply', '--yes'], declared(FILE))
    expect(code).toBe(2)
    expect(stdout).toContain(
      '\nFailed: alert budget: sns_topic_arn must be a topic that the deployment allows\n',
    )
    expect(stdout).toContain('\nApplied: 11\n')
  })
})

describe('zael diff', () => {
  test('exits with 6 if zael differs, and names what differs', async () => {
    const { zael, files, send } = await withFile()
    await send('PUT', '/api/limits/team-a', { body: { limits: [{ name: 'rpm', limit: 31, per: 'minute' }] } })
    const { code, stdout, stderr } = await zael(['diff'], { files })
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: 'zael: http://zael.example.com/stage differs from zael.yaml: one difference\n',
    })
    expect(stdout).toContain('    rpm: {limit: 31, per: minute} -> {limit: 30, per: minute}\n')
    const { stdout: json } = await zael(['diff', '--json'], { files })
    expect(JSON.parse(json)).toMatchObject({
      changes: [{ does: 'change', kind: 'limits', id: 'team-a/_default_' }],
    })
  })

  test('counts what the file does not contain with --prune', async () => {
    const { zael, files, send } = await withFile()
    await send('POST', '/api/entities', { body: { entity_id: 'by-hand', name: 'By hand' } })
    const plain = await zael(['diff'], { files })
    expect(plain).toMatchObject({ code: 0, stdout: expect.stringContaining('Not in the file') })
    const { code, stdout } = await zael(['diff', '--prune'], { files })
    expect({ code, stdout }).toMatchObject({ code: 6, stdout: expect.stringContaining('- entity by-hand') })
  })

  test('finds no difference between notations of the same value', async () => {
    const { zael, send } = await withFile('entities: {k: {}}')
    await send('POST', '/api/ratelimit/config/k', {
      body: { rpm_limit: 1000, tpm_limit: 600, window_seconds: 60 },
    })
    const text = `
entities:
  k:
    name: k
    kind: entity
    cascade: true
    role: null
    models: null
    limits:
      _default_:
        - {name: tpm, capacity: 600, refill_rate: 10, algorithm: token_bucket, mode: enforce, warn_at: 0.8}
        - {name: rpm, limit: 1000, per: minute, meter: requests, refund: strict, headroom: {low: 0}, schedule: []}
`
    expect(await zael(['diff'], declared(text))).toMatchObject({ code: 0, stderr: '' })
  })

  test('requires only the viewer token', async () => {
    const { zael, files } = await withFile()
    const environment = { ZAEL_TOKEN: 'the-viewer-token' }
    expect((await zael(['diff'], { files, environment })).code).toBe(0)
    const { code } = await zael(['diff'], { files, environment: { ZAEL_TOKEN: 'key-bob-key-bob-key' } })
    expect(code).toBe(3)
  })
})

describe('zael export', () => {
  test('prints a file that changes nothing, and that makes the same of nothing', async () => {
    const { zael } = await withFile()
    const { code, stdout } = await zael(['export'])
    expect(code).toBe(0)
    expect(await zael(['apply', '--prune', '--yes', '-f', '-'], { input: stdout })).toMatchObject({
      code: 0,
      stdout: 'Nothing to change: zael has what the file declares.\n',
    })
    const other = createTestCli()
    expect((await other.zael(['apply', '--yes', '-f', '-'], { input: stdout })).code).toBe(0)
    expect((await other.zael(['export'])).stdout).toBe(stdout)
  })

  test('finds whatever is added later, with --prune', async () => {
    const { zael, send } = createTestCli()
    await send('POST', '/api/entities', { body: { entity_id: 'k', name: 'k' } })
    const { stdout: input } = await zael(['export'])
    await send('PUT', '/api/limits/k', { body: { limits: [{ name: 'rpm', limit: 5, per: 'minute' }] } })
    await send('PUT', '/api/upstreams/added', { body: { kind: 'simulated' } })
    await send('PUT', '/api/defaults?role=r', {
      body: { limits: [{ name: 'rpm', limit: 5, per: 'minute' }] },
    })
    const { code, stdout } = await zael(['diff', '--prune', '-f', '-'], { input })
    expect(code).toBe(6)
    expect(stdout.split('\n').filter((line) => line.startsWith('-'))).toEqual([
      '- limits of k on _default_',
      '- defaults of role r on _default_',
      '- upstream added',
    ])
  })

  test('prints the same as JSON', async () => {
    const { zael } = await withFile()
    const { stdout } = await zael(['export', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ entities: { acme: { kind: 'tenant', role: 'admin' } } })
    expect((await zael(['diff', '--prune', '-f', '-'], { input: stdout })).code).toBe(0)
  })

  test('reads every page', async () => {
    const entities = Array.from({ length: 250 }, (_, index) => `  e${index}: {}`).join('\n')
    const { zael } = await withFile(`entities:\n${entities}\n`)
    const { stdout } = await zael(['export', '--json'])
    expect(Object.keys(JSON.parse(stdout).entities)).toHaveLength(250)
  })

  test('leaves out the upstream of the environment, which a file must not declare', async () => {
    const environmentUpstream = anUpstream({ name: 'default', version: 0n })
    const { zael } = createTestCli({ upstreams: { environmentUpstream } })
    expect(JSON.parse((await zael(['export', '--json'])).stdout)).toEqual({
      ...{ upstreams: {}, models: {}, defaults: { system: {}, roles: {} } },
      ...{ entities: {}, policies: {}, alerts: {} },
    })
    const uses = 'models: {m: {upstreams: [{upstream: default}]}}'
    expect((await zael(['apply', '--yes'], declared(uses))).code).toBe(0)
    const { code, stderr } = await zael(
      ['apply', '--yes'],
      declared('upstreams:\n  default: {kind: simulated}'),
    )
    expect(code).toBe(2)
    expect(stderr).toContain('zael.yaml:2:3: upstreams.default must not be given: the environment of zael')
  })
})

describe('a file with mistakes', () => {
  const mistakesOf = async (text: string, args: readonly string[] = []) => {
    const { zael, send } = createTestCli()
    await send('POST', '/api/entities', { body: { entity_id: 'stored', name: 'Stored' } })
    await send('PUT', '/api/upstreams/stored', { body: { kind: 'simulated' } })
    await send('PUT', '/api/models/used', { body: { upstreams: [{ upstream: 'stored' }] } })
    const { code, stdout, stderr } = await zael(['apply', '--yes', ...args], declared(text))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    return stderr.trimEnd().split('\n')
  }

  test('names each with its line and column, and changes nothing', async () => {
    const lines = await mistakesOf(`entities:
  acme:
    nam: Acme
    priority: urgent
    limits:
      _default_:
        - {name: rpm, limit: 5, per: minut}
        - name: RPM
          limit: 5
          per: minute
  "a b": {}
models:
  gpt-4: {prices: {input_per_million: -1, output_per_million: 1}}
policies:
  TEAM/a: [{name: rpm, limit: 5, per: minute}]
  TENANT/a: []
alerts:
  a: {webhook: {url: https://hooks.example, secret: whsec_abc}}
upstream: {}
`)
    expect(lines.map((line) => line.slice(0, 60))).toEqual([
      'zael.yaml:3:5: entities.acme.nam must not be given: the fiel',
      'zael.yaml:4:5: entities.acme.priority must be one of high, n',
      'zael.yaml:7:33: entities.acme.limits._default_[0].per must b',
      'zael.yaml:8:11: entities.acme.limits._default_[1].name must ',
      'zael.yaml:11:3: entities.a b must be 1 to 128 of A-Z a-z 0-9',
      'zael.yaml:13:20: models.gpt-4.prices.input_per_million must ',
      'zael.yaml:15:3: policies.TEAM/a must be <scope>/<selector> a',
      'zael.yaml:16:3: policies.TENANT/a must contain at least one ',
      'zael.yaml:18:45: alerts.a.webhook.secret must be a reference',
      'zael.yaml:19:1: upstream must not be given: the fields are u',
      'zael: zael.yaml contains 10 mistakes; nothing was changed',
    ])
    expect(lines.join()).not.toContain('whsec_abc')
  })

  test.each([
    ['entities:\n  a: {}\n  a: {}', 'zael.yaml:3:3: this name is there twice in one mapping'],
    ['entities:\n\ta: {}', 'zael.yaml:2:1: a tab indents this line: use spaces'],
    ['a: 1\n---\nb: 2', 'zael.yaml:2:1: the file contains several documents: only one is allowed'],
    ['entities: {a: *b}', 'zael.yaml:1:1: the file must define each anchor before its aliases'],
    ['entities: !<x> {}', 'zael.yaml:1:11: this tag is not known: values need no tags'],
    [
      '- a',
      'zael.yaml:1:1: the file must be {upstreams, models, defaults, entities, policies, alerts}, each optional',
    ],
    ['entities:', 'zael.yaml:1:1: entities must be {<id>: {name: <name>, …}}'],
    [
      'entities:\n  constructor: {}',
      'zael.yaml:2:3: entities.constructor must have another name: this one is reserved',
    ],
  ])('names mistakes of YAML: %j', async (text, line) => {
    expect((await mistakesOf(text))[0]).toBe(line)
  })

  test.each([
    [
      'entities:\n  a: {parent_id: b}',
      [],
      'zael.yaml:2:7: entities.a.parent_id must name an entity of the file, or one that exists: there is no b',
    ],
    [
      'entities:\n  a: {parent_id: stored}',
      ['--prune'],
      'zael.yaml:2:7: entities.a.parent_id must name an entity of the file: --prune deletes stored, which the file does not contain',
    ],
    [
      'entities:\n  a: {parent_id: c}\n  b: {parent_id: a}\n  c: {parent_id: b}',
      [],
      'zael.yaml:2:7: entities.a.parent_id must not be the entity itself or one of its descendants: a is below c is below b is below a',
    ],
    [
      'models:\n  m:\n    upstreams: [{upstream: x}]',
      [],
      'zael.yaml:3:18: models.m.upstreams[0].upstream must name an upstream of the file, or one that exists: there is no x',
    ],
    [
      'upstreams: {}',
      ['--prune'],
      'zael.yaml:1:1: upstreams must contain stored, or be applied without --prune: the model used, which the file does not contain, uses it',
    ],
  ])('names references to what does not exist: %j', async (text, args, line) => {
    expect((await mistakesOf(text, args))[0]).toBe(line)
  })

  test('names them as JSON, and a file that cannot be read', async () => {
    const { zael } = createTestCli()
    const { stdout } = await zael(['diff', '--json'], declared('entity: {}'))
    expect(JSON.parse(stdout)).toEqual({
      mistakes: [{ line: 1, column: 1, message: expect.stringContaining('entity must not be given') }],
    })
    expect(await zael(['diff', '-f', 'none.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none.yaml cannot be read'),
    })
  })
})

test('applies a thousand entities with few requests at once, and reports its progress', async () => {
  const cli = createTestCli()
  let [now, most] = [0, 0]
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    now += 1
    most = Math.max(most, now)
    const { pathname, search } = new URL(url)
    const response = await cli.app.request(`${pathname.replace('/stage', '')}${search}`, init)
    now -= 1
    return response
  }
  const entities = Array.from({ length: 1000 }, (_, index) =>
    index < 10 ? `  team-${index}: {}` : `  key-${index}: {parent_id: team-${index % 10}}`,
  )
  const { code, stderr } = await cli.zael(['apply', '--yes'], {
    ...declared(`entities:\n${entities.join('\n')}\n`),
    fetch,
  })
  expect(code).toBe(0)
  expect(most).toBe(8)
  expect(stderr.split('\n')).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((tenth) => `applied ${tenth}00 of 1000`),
    '',
  ])
})
