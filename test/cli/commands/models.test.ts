import { describe, expect, test } from 'vitest'
import { createTestCli } from '../test-cli.ts'

describe('zael models', () => {
  test('set changes the given fields, and keeps the others', async () => {
    const { zael, send } = createTestCli()
    for (const name of ['a', 'b']) await zael(['upstreams', 'set', name, '--kind', 'simulated'])
    const set = ['models', 'set', 'org/model']
    await zael([...set, '--tier', 'premium', '--input-price', '2.50', '--output-price', '10'])
    const changed = await zael([...set, '--upstreams', 'a=its/name,b', '--input-price', '3'])
    expect(changed).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await zael([...set, '--max-output-tokens', '100'])
    expect(stdout).toMatch(/^model +org\/model\ntier +premium\n/)
    expect((await send('GET', '/api/models/org/model')).body).toMatchObject({
      tier: 'premium',
      prices: { input_per_million: 3, output_per_million: 10 },
      upstreams: [
        { upstream: 'a', model: 'its/name' },
        { upstream: 'b', model: null },
      ],
      max_output_tokens: 100,
    })
    await zael([...set, '--no-tier'])
    expect((await zael(['models', 'list'])).stdout).toBe(
      [
        'MODEL      TIER  INPUT $/M  OUTPUT $/M  MAX OUTPUT  UPSTREAMS\n',
        'org/model  -             3          10         100  a=its/name, b\n',
      ].join(''),
    )
  })

  test('what show --json prints is a file for set', async () => {
    const { zael, send } = createTestCli()
    await zael(['models', 'set', 'gpt-4o', '--tier', 'premium', '--input-price', '1', '--output-price', '2'])
    const shown = (await zael(['models', 'show', 'gpt-4o', '--json'])).stdout
    expect((await zael(['models', 'set', 'copy', '--file', '-'], { input: shown })).code).toBe(0)
    const [first, second] = await Promise.all([
      send('GET', '/api/models/gpt-4o'),
      send('GET', '/api/models/copy'),
    ])
    expect(second.body).toMatchObject({ model_id: 'copy', tier: 'premium' })
    expect(first.body).toMatchObject({ prices: { input_per_million: 1, output_per_million: 2 } })
  })

  test('delete asks, and removes the model', async () => {
    const { zael } = createTestCli()
    await zael(['models', 'set', 'gpt-4o'])
    expect((await zael(['models', 'delete', 'gpt-4o'], { answer: '' })).code).toBe(1)
    expect((await zael(['models', 'delete', 'gpt-4o', '--yes'])).stdout).toBe('deleted gpt-4o\n')
    expect((await zael(['models', 'show', 'gpt-4o'])).code).toBe(4)
  })

  test.each([
    [['models', 'set', 'm', '--input-price', '-1'], /must be a number of US dollars/],
    [['models', 'set', 'm', '--file', 'x', '--tier', 'a'], /give fields or --file, not both/],
    [['models', 'set', 'm', '--file', '-'], /stdin must be JSON/],
    [
      ['models', 'set', 'm', '--input-price', '1'],
      /prices\.output_per_million must be 0, or a number of dollars/,
    ],
  ])('%j exits with 2', async (args, message) => {
    const { code, stderr } = await createTestCli().zael(args)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

describe('zael upstreams', () => {
  const SET = ['upstreams', 'set', 'openai', '--kind', 'openai', '--base-url', 'https://api.example.com/v1']

  test('set changes the given fields, and keeps the others', async () => {
    const { zael, send } = createTestCli()
    await zael([...SET, '--secret', 'env:UPSTREAM_SECRET_A', '--headers', 'x-team=a'])
    const { code, stdout } = await zael([
      'upstreams',
      'set',
      'openai',
      '--base-url',
      'https://other.example.com/v1',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nsecret +env:UPSTREAM_SECRET_A\nheaders +x-team: a\n/)
    expect((await send('GET', '/api/upstreams/openai')).body).toMatchObject({
      base_url: 'https://other.example.com/v1',
      secret: 'env:UPSTREAM_SECRET_A',
      headers: { 'x-team': 'a' },
    })
    expect((await zael(['upstreams', 'list'])).stdout).toBe(
      [
        'UPSTREAM  KIND    URL OR REGION                 SECRET                 RESTING\n',
        'openai    openai  https://other.example.com/v1  env:UPSTREAM_SECRET_A  -\n',
      ].join(''),
    )
  })

  test('set with another kind begins anew', async () => {
    const { zael, send } = createTestCli()
    await zael(SET)
    await zael(['upstreams', 'set', 'openai', '--kind', 'simulated'])
    expect((await send('GET', '/api/upstreams/openai')).body).toMatchObject({
      kind: 'simulated',
      base_url: null,
    })
    // a second change sends the fields that this kind has
    expect((await zael(['upstreams', 'set', 'openai', '--kind', 'simulated'])).code).toBe(0)
    expect((await zael(['upstreams', 'delete', 'openai', '-y'])).stdout).toBe('deleted openai\n')
    expect((await zael(['upstreams', 'show', 'openai'])).code).toBe(4)
  })

  test('a secret itself is rejected, and not repeated', async () => {
    const { code, stderr } = await createTestCli().zael([...SET, '--secret', 'sk-the-secret-itself'])
    expect(code).toBe(2)
    expect(stderr).not.toContain('sk-the-secret-itself')
  })
})
