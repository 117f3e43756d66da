import { describe, expect, test } from 'vitest'
import { createTestCli } from '../test-cli.ts'

const withTeam = async () => {
  const cli = createTestCli()
  await cli.zael(['entities', 'create', 'team-a', '--name', 'Team A', '--kind', 'team'])
  return cli
}

describe('zael entities', () => {
  test('create creates an entity with the given fields, and shows it', async () => {
    const { zael, send } = await withTeam()
    const { code, stdout, stderr } = await zael([
      ...[
        'entities',
        'create',
        'key-ci',
        '--parent',
        'team-a',
        '--cascade',
        '--models',
        'gpt-4o,gpt-4o-mini',
      ],
      ...['--priority', 'low', '--metadata', 'env=ci', '--metadata', 'note=a=b'],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^entity +key-ci\nname +key-ci\n/)
    expect(stdout).toMatch(/\nmodels +gpt-4o, gpt-4o-mini\nstate +active\n/)
    expect(stdout).toMatch(/\nmetadata note +a=b\n$/)
    expect((await send('GET', '/api/entities/key-ci')).body).toMatchObject({
      name: 'key-ci',
      parent_id: 'team-a',
      cascade: true,
      priority: 'low',
      models: ['gpt-4o', 'gpt-4o-mini'],
      metadata: { env: 'ci', note: 'a=b' },
    })
  })

  test('set changes the given fields only', async () => {
    const { zael, send } = await withTeam()
    await zael(['entities', 'create', 'key-ci', '--parent', 'team-a', '--models', 'gpt-4', '--role', 'user'])
    await zael(['entities', 'set', 'key-ci', '--disabled', '--no-parent', '--no-models'])
    expect((await send('GET', '/api/entities/key-ci')).body).toMatchObject({
      parent_id: null,
      models: null,
      role: 'user',
      disabled: true,
    })
    await zael(['entities', 'set', 'key-ci', '--no-disabled', '--no-role', '--bypass'])
    expect((await send('GET', '/api/entities/key-ci')).body).toMatchObject({
      role: null,
      disabled: false,
      bypass: true,
    })
  })

  test('list prints a table, and with --json the items of the API', async () => {
    const { zael, send } = await withTeam()
    await zael(['entities', 'create', 'key-ci', '--parent', 'team-a'])
    const { stdout } = await zael(['entities', 'list'])
    expect(stdout).toBe(
      [
        'ENTITY  NAME    KIND    PARENT  ROLE  STATE\n',
        'key-ci  key-ci  entity  team-a  -     active\n',
        'team-a  Team A  team    -       -     active\n',
      ].join(''),
    )
    const { stdout: json } = await zael(['entities', 'list', '--search', 'team', '--json'])
    const { body } = await send('GET', '/api/entities/team-a')
    expect(JSON.parse(json)).toEqual({ items: [body] })
    expect((await zael(['entities', 'list', '-s', 'nothing'])).stdout).toBe('no entities\n')
  })

  test('show and children print one entity', async () => {
    const { zael } = await withTeam()
    await zael(['entities', 'create', 'key-ci', '--parent', 'team-a'])
    expect((await zael(['entities', 'show', 'team-a'])).stdout).toMatch(/^entity +team-a\nname +Team A\n/)
    expect((await zael(['entities', 'children', 'team-a'])).stdout).toBe('key-ci\n')
    expect(JSON.parse((await zael(['entities', 'children', 'team-a', '--json'])).stdout)).toEqual({
      entity_id: 'team-a',
      children: ['key-ci'],
    })
  })

  test.each([
    ['without a terminal', {}, [], 2],
    ['with another answer', { answer: 'n' }, [], 1],
    ['with the answer yes', { answer: 'yes' }, [], 0],
    ['with --yes', {}, ['--yes'], 0],
    ['with -y', {}, ['-y'], 0],
  ])('delete asks first: %s', async (_, options, args, code) => {
    const { zael, send } = await withTeam()
    const result = await zael(['entities', 'delete', 'team-a', ...args], options)
    expect(result.code).toBe(code)
    expect((await send('GET', '/api/entities/team-a')).status).toBe(code === 0 ? 404 : 200)
    if (code === 0) expect(result.stdout).toBe('deleted team-a\n')
    else expect(result.stderr).toContain('Delete the entity team-a, its keys and its limits at ')
  })

  test.each([
    [['entities', 'create', 'team-a'], 1, 'zael: There is an entity team-a already\n'],
    [['entities', 'create', 'x', '--parent', 'nobody'], 2, /parent_id/],
    [['entities', 'show', 'a b'], 2, /^zael: entity_id must be 1 to 128 of/],
    [['entities', 'show', 'nobody'], 4, 'zael: There is no entity nobody\n'],
    [['entities', 'set', 'team-a'], 2, /give at least one option, such as --disabled/],
    [['entities', 'set', 'team-a', '--metadata', 'x'], 2, /must be <name>=<value>/i],
  ])('%j fails with code %d', async (args, code, message) => {
    const { zael } = await withTeam()
    const result = await zael(args)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toMatch(message)
  })
})

describe('zael whoami', () => {
  test.each([
    ['the-admin-token', 'admin'],
    ['the-viewer-token', 'viewer'],
  ])('shows the role of %s and the server', async (token, role) => {
    const { zael } = createTestCli()
    const { stdout } = await zael(['whoami', '--token', token, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ role, url: 'http://zael.example.com/stage', version: '1.2.3' })
  })

  test('shows the entity of a key', async () => {
    const { zael, send } = await withTeam()
    const input = 'a-secret-of-16-characters'
    await send('POST', '/api/entities/team-a/keys', { body: { secret: input } })
    const { code, stdout, stderr } = await zael(['whoami', '--token-file', '-'], { input })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('url        http://zael.example.com/stage\nrole       caller\nentity_id  team-a\n')
  })

  test('exits with 3 for an unknown token, and does not print it', async () => {
    const { zael } = createTestCli()
    const { code, stdout, stderr } = await zael(['whoami', '--token', 'nobodys-token'])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain('does not accept the token')
    expect(stderr).not.toContain('nobodys-token')
  })
})
