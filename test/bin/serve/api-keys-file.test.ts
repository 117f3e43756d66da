import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { readApiKeys, warnOfGuessable } from '../../../bin/serve/api-keys-file.ts'
import { StartError } from '../../../src/command-line/failure.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const fileWith = async (yaml: string): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-keys-'))
  closing.push(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'keys.yaml')
  await writeFile(path, yaml)
  return path
}

const read = async (yaml: string | null, json: unknown = null) =>
  readApiKeys({
    apiKeysFile: yaml === null ? null : await fileWith(yaml),
    apiKeysJson: json === null ? null : JSON.stringify(json),
  })

const rejectionOf = async (yaml: string | null, json: unknown = null): Promise<string> => {
  const error: unknown = await read(yaml, json).catch((reason: unknown) => reason)
  if (error instanceof StartError) return error.message
  throw new Error(`It was not refused: ${JSON.stringify(error)}`)
}

const SECRET = 'sk-prod-4f8a77c1e09d'

describe('the keys of a file', () => {
  test('are none without a file', async () => {
    expect(await read(null)).toEqual([])
  })

  test('are read from the sample file', async () => {
    const apiKeysFile = fileURLToPath(new URL('../../../seed/api-keys.yaml', import.meta.url))
    expect(await readApiKeys({ apiKeysFile, apiKeysJson: null })).toMatchObject([
      {
        entityId: 'sk-test-tier-a',
        request_per_minute: 120,
        input_tokens_per_minute: 20_000,
        output_tokens_per_minute: 10_000,
      },
      {
        entityId: 'sk-test-tier-b',
        request_per_minute: 1200,
        input_tokens_per_minute: 200_000,
        output_tokens_per_minute: 100_000,
      },
    ])
  })

  test('name an entity by their id, else by their hash, never by the key', async () => {
    const keys = await read(`keys: {${SECRET}: {request_per_minute: 1}, sk-other-0123456789: {id: team-1}}`)
    expect(keys.map(({ entityId }) => entityId)).toEqual(['file-4749769a', 'team-1'])
  })

  test('are overridden field by field by the environment, which can add others', async () => {
    const keys = await read(
      `keys: {${SECRET}: {name: Mine, request_per_minute: 10, input_tokens_per_minute: 20}}`,
      { keys: { [SECRET]: { request_per_minute: 5 }, 'sk-new-0123456789': { output_tokens_per_minute: 7 } } },
    )
    expect(keys).toMatchObject([
      { secret: SECRET, name: 'Mine', request_per_minute: 5, input_tokens_per_minute: 20 },
      { secret: 'sk-new-0123456789', output_tokens_per_minute: 7 },
    ])
  })
})

describe('a file is rejected in one line that shows no key', () => {
  const count = 'be an integer from 0 to 9007199254740991'
  const known = 'id, name, request_per_minute, input_tokens_per_minute, output_tokens_per_minute'

  test.each([
    ['{request_per_minute: -1}', `keys.sk-prod-....request_per_minute (key 1) must ${count}`],
    ['{request_per_minute: 1.5}', `keys.sk-prod-....request_per_minute (key 1) must ${count}`],
    ['{request_per_minute: "120"}', `keys.sk-prod-....request_per_minute (key 1) must ${count}`],
    ['{request_per_minute: }', `keys.sk-prod-....request_per_minute (key 1) must ${count}`],
    ['{rpm: 1}', `keys.sk-prod-....rpm (key 1) must not be given; known fields are ${known}`],
    ['{name: ""}', 'keys.sk-prod-....name (key 1) must be 1 to 256 characters long'],
    [
      '{id: "a b"}',
      'keys.sk-prod-....id (key 1) must be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit',
    ],
    ['120', 'keys.sk-prod-... (key 1) must be an object'],
    ['', 'keys.sk-prod-... (key 1) must be an object'],
  ])('if a key has %s', async (entry, sentence) => {
    expect(await rejectionOf(`keys:\n  ${SECRET}: ${entry}`)).toBe(`API_KEYS_FILE ${sentence}`)
  })

  test.each([
    ['keys: [a]', 'API_KEYS_FILE keys must be {<key>: {request_per_minute: <number>, …}}'],
    [
      'other: 1',
      'API_KEYS_FILE other must not be given: the only field is keys; API_KEYS_FILE keys must be {<key>: {request_per_minute: <number>, …}}',
    ],
    ['', 'API_KEYS_FILE must be {keys: {<key>: {request_per_minute: <number>, …}}}'],
    ['keys: {}\nversion: 1', 'API_KEYS_FILE version must not be given: the only field is keys'],
    [
      'keys: {"two words long": {}}',
      'API_KEYS_FILE keys.two word... (key 1) must be 1 to 256 visible ASCII characters',
    ],
  ])('if the content is %j', async (yaml, sentence) => {
    expect(await rejectionOf(yaml)).toBe(sentence)
  })

  test.each([
    [`${SECRET}: {}`, 'API_KEYS_FILE sk-prod-... must not be given'],
    [`keys: {}\n${SECRET}: {}`, 'API_KEYS_FILE sk-prod-... must not be given'],
    [`keys: {a: {${SECRET}: {}}}`, 'API_KEYS_FILE keys.....sk-prod-... (key 1) must not be given'],
  ])('if a key stands in the wrong place: %j', async (yaml, beginning) => {
    const message = await rejectionOf(yaml)
    expect(message).toContain(beginning)
    expect(message).not.toContain(SECRET)
  })

  test.each([
    [`keys:\n  ${SECRET}: {}\n  ${SECRET}: {}`, 3],
    [`keys:\n  ${SECRET}: {}\n ${SECRET}: {`, 3],
    [`keys: *${SECRET}`, undefined],
  ])('if the YAML is invalid: %j', async (yaml, line) => {
    const message = await rejectionOf(yaml)
    expect(message).toMatch(/^API_KEYS_FILE \S+ must be YAML/)
    if (line !== undefined) expect(message).toContain(`(line ${line}, `)
    expect(message).not.toContain(SECRET)
    expect(message).not.toContain('\n')
  })

  test('if the JSON of the environment is invalid', async () => {
    const rejected = readApiKeys({ apiKeysFile: null, apiKeysJson: `{"keys": {"${SECRET}"` })
    await expect(rejected).rejects.toThrow(new StartError('API_KEYS_JSON must be JSON'))
  })

  test('if it does not exist', async () => {
    const rejected = readApiKeys({ apiKeysFile: '/nowhere/keys.yaml', apiKeysJson: null })
    await expect(rejected).rejects.toThrow(/^API_KEYS_FILE \/nowhere\/keys.yaml cannot be read: ENOENT/)
  })

  test('if two keys name the same entity', async () => {
    const message = await rejectionOf('keys: {sk-one-11111111: {id: a}, sk-two-22222222: {id: a}}')
    expect(message).toBe('keys.sk-two-2....id must be unique: another key has a')
  })

  test('with a repeated id beside other errors', async () => {
    const message = await rejectionOf(
      'keys: {sk-one-11111111: {id: a}, sk-two-22222222: {id: a}, sk-three: 1}',
    )
    expect(message.split('; ')).toEqual([
      'API_KEYS_FILE keys.sk-t... (key 3) must be an object',
      'keys.sk-two-2....id must be unique: another key has a',
    ])
  })

  test('with all of its errors at once, including those of the environment', async () => {
    const message = await rejectionOf(`keys: {${SECRET}: {rpm: 1, id: ""}}`, { keys: { 'sk-x-1': 1 } })
    expect(message.split('; ')).toHaveLength(4)
  })
})

const KEYS = ['sk-test-tier-a', 'short-secret', 'sk-prod-4f8a77c1e09d'].map((secret) => ({ secret }))

const warned = (host: string, keys = KEYS) => {
  const lines: unknown[] = []
  warnOfGuessable(keys, { host }, { ...silentLogger, warn: (_, fields) => lines.push(fields) })
  return lines
}

test('sample and short keys cause a warning if other machines can reach the API', () => {
  expect(warned('0.0.0.0')).toEqual([{ keys: ['sk-test-...', 'short-se...'] }])
})

test('other keys cause no warning, nor does any if only this machine can reach the API', () => {
  expect([...warned('0.0.0.0', KEYS.slice(2)), ...warned('127.0.0.1')]).toEqual([])
})
