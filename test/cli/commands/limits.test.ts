import { describe, expect, test } from 'vitest'
import { createTestCli } from '../test-cli.ts'

const MONTHLY = { name: 'monthly', algorithm: 'fixed_window', limit: 1000, window: 'month', meter: 'tokens' }

const withEntity = async () => {
  const cli = createTestCli()
  await cli.zael(['entities', 'create', 'key-ci'])
  return cli
}

describe('zael limits', () => {
  test('set replaces limits, given in short or as JSON, and shows those that apply', async () => {
    const { zael, send } = await withEntity()
    const { code, stdout } = await zael(['limits', 'set', 'key-ci', 'rpm=10/minute', JSON.stringify(MONTHLY)])
    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'LIMIT    METER     SIZE                  MODE     SOURCE',
      'rpm      requests  10/minute             enforce  entity:_default_',
      'monthly  tokens    1000 per month (UTC)  enforce  entity:_default_',
      'tpm      tokens    10000/minute          enforce  environment',
      '',
    ])
    expect((await send('GET', '/api/limits/key-ci')).body).toMatchObject({
      limits: [{ name: 'rpm', capacity: 10 }, { name: 'monthly', limit: 1000 }, { name: 'tpm' }],
    })
  })

  test.each([
    ['a list', JSON.stringify([MONTHLY])],
    ['what show --json prints', JSON.stringify({ entity_id: 'x', limits: [MONTHLY] })],
  ])('set reads a file with %s, or stdin', async (_, text) => {
    const { zael } = await withEntity()
    const args = ['limits', 'set', 'key-ci', '--resource', 'gpt-4', '--json', '--file']
    const fromFile = await zael([...args, 'limits.json'], { files: { 'limits.json': text } })
    expect(JSON.parse(fromFile.stdout)).toMatchObject({
      resource: 'gpt-4',
      limits: [{ name: 'monthly' }, {}, {}],
    })
    const fromStdin = await zael([...args, '-'], { input: text })
    expect(fromStdin.stdout).toBe(fromFile.stdout)
  })

  test('what show --json prints is a file for set', async () => {
    const { zael } = await withEntity()
    const schedule = [{ cron: '0 9 * * *', time_zone: 'UTC', duration_seconds: 3600, limit: 5 }]
    const sliding = { name: 'rph', algorithm: 'sliding_window', limit: 9, window_seconds: 3600, schedule }
    const own = [JSON.stringify(sliding), JSON.stringify(MONTHLY), 'rpm=10/minute', 'tpm=5/minute']
    await zael(['limits', 'set', 'key-ci', ...own])
    await zael(['entities', 'create', 'other'])
    const { stdout: shown } = await zael(['limits', 'show', 'key-ci', '--json'])
    const copied = await zael(['limits', 'set', 'other', '--file', '-', '--json'], { input: shown })
    expect(JSON.parse(copied.stdout)).toEqual({ ...JSON.parse(shown), entity_id: 'other' })
  })

  test('delete returns to inherited limits', async () => {
    const { zael } = await withEntity()
    await zael(['limits', 'set', 'key-ci', 'rpm=10/minute'])
    expect((await zael(['limits', 'delete', 'key-ci'])).code).toBe(2)
    expect((await zael(['limits', 'delete', 'key-ci', '-y'])).stdout).toBe('deleted the limits of key-ci\n')
    expect((await zael(['limits', 'delete', 'key-ci', '-r', 'gpt-4o', '-y'])).stdout).toBe(
      'deleted the limits of key-ci on gpt-4o\n',
    )
    expect((await zael(['limits', 'show', 'key-ci'])).stdout).toMatch(
      /\nrpm +requests +60\/minute +enforce +environment\n/,
    )
  })

  test('reset and top-up show the bucket afterwards', async () => {
    const { zael, send } = await withEntity()
    await zael(['limits', 'set', 'key-ci', 'rpm=10/day'])
    const headers = { authorization: 'Bearer the-admin-token', 'x-zael-entity': 'key-ci' }
    await send('POST', '/v1/limits/check', { headers, body: { cost: { requests: 8 } } })
    const topped = await zael(['limits', 'top-up', 'key-ci', '--limit', 'rpm', '--amount', '3'])
    expect(topped.stdout).toMatch(/\nkey-ci +_default_ +rpm +5 +10 +█{10}░{10} +50\.0 % +12h\n/)
    const reset = await zael(['limits', 'reset', 'key-ci', '-r', '_default_', '--json'])
    expect(JSON.parse(reset.stdout).limits[0]).toMatchObject({ name: 'rpm', used: 0 })
  })

  test.each([
    [['limits', 'set', 'key-ci'], /give at least one limit, such as rpm=10\/minute/],
    [['limits', 'set', 'key-ci', 'rpm=10/minute', '--file', 'x'], /give limits or --file, not both/],
    [['limits', 'set', 'key-ci', '--file', 'x'], /--file x cannot be read/],
    [['limits', 'set', 'key-ci', 'rpm:10'], /"rpm:10" is no limit: it must be .*, like rpm=10\/minute/],
    [['limits', 'set', 'key-ci', 'rpm=10/minut'], /"rpm=10\/minut" is no limit: .*second\|minute\|hour\|day/],
    [['limits', 'set', 'key-ci', '{rpm}'], /the limit \{rpm\} must be JSON/],
    [['limits', 'set', 'key-ci', '{"name": "rpm"}'], /limits\[0\]\.capacity must /],
  ])('%j exits with 2', async (args, message) => {
    const { zael } = await withEntity()
    const { code, stderr } = await zael(args)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

describe('zael defaults', () => {
  test('set and delete change those of a role', async () => {
    const { zael } = createTestCli()
    await zael(['defaults', 'set', '--role', 'admin', 'rpm=500/minute'])
    expect((await zael(['defaults', 'show', '--role', 'admin'])).stdout).toMatch(
      /\nrpm +requests +500\/minute +enforce +role:admin/,
    )
    expect((await zael(['defaults', 'show'])).stdout).toMatch(
      /\nrpm +requests +60\/minute +enforce +environment/,
    )
    const deleted = await zael(['defaults', 'delete', '--role', 'admin', '--yes'])
    expect(deleted.stdout).toMatch(/\nrpm +requests +60\/minute +enforce +environment/)
  })
})

describe('zael policies', () => {
  test('set, list, show, reset and delete a policy', async () => {
    const { zael } = createTestCli()
    const named = ['USER_MODEL', 'alice/gpt-4o']
    const set = await zael(['policies', 'set', ...named, 'rph=10/hour'])
    expect(set.stdout).toMatch(/\nrph +requests +10\/hour +enforce +policy:USER_MODEL:alice:gpt-4o\n/)
    expect((await zael(['policies', 'list'])).stdout).toBe(
      'SCOPE       SELECTOR      LIMITS\nUSER_MODEL  alice/gpt-4o  rph 10/hour\n',
    )
    for (const command of ['show', 'reset'])
      expect((await zael(['policies', command, ...named])).stdout).toBe(set.stdout)
    expect((await zael(['policies', 'delete', ...named, '-y'])).stdout).toBe(
      'deleted USER_MODEL alice/gpt-4o\n',
    )
    expect((await zael(['policies', 'list'])).stdout).toBe('no policies\n')
  })

  test('an unknown scope is wrong usage, and lists the known ones', async () => {
    const { code, stderr } = await createTestCli().zael(['policies', 'show', 'EVERYONE', '*'])
    expect(code).toBe(2)
    expect(stderr).toContain('Allowed choices are USER_MODEL, SESSION, USER')
  })
})

describe('zael explain and zael status', () => {
  test('explain shows the source of each limit, and what it overrides', async () => {
    const { zael } = await withEntity()
    await zael(['limits', 'set', 'key-ci', 'rpm=10/minute'])
    await zael(['policies', 'set', 'GLOBAL', '*', 'rps=100/second'])
    const { stdout } = await zael(['explain', 'key-ci', '--resource', 'gpt-4'])
    expect(stdout).toMatch(
      /\nkey-ci +gpt-4 +rpm +requests +10\/minute +entity:_default_ +60\/minute \(environment\)\n/,
    )
    expect(stdout).toMatch(/\nPOLICY:GLOBAL:\* +_total_ +rps +requests +100\/second +policy:GLOBAL:\* +-\n/)
  })

  test('status shows what an entity has left, and with a key what its own entity has', async () => {
    const { zael, send } = await withEntity()
    const secret = 'a-secret-of-16-characters'
    await send('POST', '/api/entities/key-ci/keys', { body: { secret } })
    await zael(['limits', 'set', 'key-ci', 'rpm=10/day'])
    await zael(['policies', 'set', 'GLOBAL', '*', 'paused=0/second'])
    const byAdmin = await zael(['status', 'key-ci'])
    expect(byAdmin.stdout).toMatch(/\nkey-ci +_default_ +rpm +0 +10 +░{20} +0\.0 % +0s\n/)
    expect(byAdmin.stdout).toMatch(/\nPOLICY:GLOBAL:\* +_total_ +paused +0 +0 +█{20} +100\.0 %/)
    const own = await zael(['status', '--token', secret])
    expect(own.stdout).toBe(byAdmin.stdout)
    expect((await zael(['explain', '--token', secret])).stdout).toBe(own.stdout)
  })

  test('status without an entity shows the server', async () => {
    const { zael } = await withEntity()
    const { stdout } = await zael(['status'])
    expect(stdout).toMatch(/^url +http:\/\/zael\.example\.com\/stage\nstatus +ok\n/)
    expect(stdout).toMatch(/\nrole +admin\n/)
    expect(JSON.parse((await zael(['status', '--json'])).stdout)).toMatchObject({ status: 'ok', traffic: {} })
  })

  test.each([['usage'], ['explain']])('%s of an administrator requires an entity', async (command) => {
    const { code, stderr } = await createTestCli().zael([command])
    expect(code).toBe(2)
    expect(stderr).toBe(
      `zael: name an entity: zael ${command} <entity>; only the key of a caller has one of its own\n`,
    )
  })
})

describe('zael usage', () => {
  const point = {
    start: 1_700_000_000,
    resource: 'gpt-4',
    used: { requests: 3, tokens: 40, input_tokens: 30, output_tokens: 10, cost_usd_micros: 1_500_000 },
    denied: 2,
  }

  test('prints the points of a period', async () => {
    const asked: object[] = []
    const usage = {
      usage: async (request: object) => {
        asked.push(request)
        return [point]
      },
    }
    const { zael } = createTestCli({ usage })
    await zael(['entities', 'create', 'key-ci'])
    const { stdout } = await zael(['usage', 'key-ci', '--by', 'day', '--from', '2023-11-01', '-r', 'gpt-4'])
    expect(stdout).toBe(
      [
        'FROM                  RESOURCE  REQUESTS  TOKENS  INPUT  OUTPUT  DOLLARS  DENIED\n',
        '2023-11-14 22:13:20Z  gpt-4            3      40     30      10      1.5       2\n',
      ].join(''),
    )
    expect(asked).toEqual([
      expect.objectContaining({ entityId: 'key-ci', granularity: 'day', resource: 'gpt-4' }),
    ])
  })
})
