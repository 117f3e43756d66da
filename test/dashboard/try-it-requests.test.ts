import { describe, expect, test } from 'vitest'
import { curlLine, quoted } from '../../dashboard/try-it/curl-card.tsx'
import { type Caller, type ChatBody, type Draft, parseDraft } from '../../dashboard/try-it/request-draft.ts'
import { runRequests } from '../../dashboard/try-it/run.ts'
import { curlArguments } from './support/curl-arguments.ts'

const DRAFT: Draft = {
  callerKind: 'entity',
  entityId: ' key-bob ',
  key: '',
  model: 'gpt-4',
  maxTokens: '50',
  message: 'Hello',
  count: '11',
  parallelism: '3',
  streams: false,
}

const errorsOf = (fields: Partial<Draft>) => {
  const parsed = parseDraft({ ...DRAFT, ...fields })
  return 'errors' in parsed ? Object.keys(parsed.errors) : []
}

describe('a draft', () => {
  test('describes the caller, the request, the count and the parallelism', () => {
    expect(parseDraft(DRAFT)).toEqual({
      run: {
        caller: { kind: 'entity', id: 'key-bob' },
        body: { model: 'gpt-4', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] },
        count: 11,
        parallelism: 3,
      },
    })
  })

  test('leaves out an empty max_tokens, and requests the usage of a stream', () => {
    expect(parseDraft({ ...DRAFT, maxTokens: ' ', streams: true })).toMatchObject({
      run: {
        body: {
          model: 'gpt-4',
          messages: [{ role: 'user', content: 'Hello' }],
          stream: true,
          stream_options: { include_usage: true },
        },
      },
    })
    expect(parseDraft({ ...DRAFT, maxTokens: ' ' })).not.toHaveProperty('run.body.max_tokens')
  })

  test('requires the entity or the key of the caller', () => {
    expect(errorsOf({ entityId: ' ' })).toEqual(['entityId'])
    expect(errorsOf({ callerKind: 'key', entityId: '' })).toEqual(['key'])
    expect(errorsOf({ callerKind: 'key', key: 'sk-1' })).toEqual([])
    expect(errorsOf({ callerKind: 'key', key: 'sk 1' })).toEqual(['key'])
    expect(errorsOf({ callerKind: 'key', key: 'sk-ü' })).toEqual(['key'])
  })

  test.each<[keyof Draft, readonly string[], readonly string[]]>([
    ['count', ['1', '200'], ['', '0', '201', '1.5', '-1', '1e2', 'x']],
    ['parallelism', ['1', '20'], ['', '0', '21', '2.5']],
    ['maxTokens', ['', '1', '1000000'], ['0', '-5', '1.5', '1000001', 'x']],
    ['message', [' '], ['']],
    ['model', ['gpt-4'], ['']],
  ])('takes %s as %j, and not as %j', (field, right, wrong) => {
    for (const value of right) expect(errorsOf({ [field]: value })).toEqual([])
    for (const value of wrong) expect(errorsOf({ [field]: value })).toEqual([field])
  })
})

const URL = 'https://api.example/prod/v1/chat/completions'
const BOB: Caller = { kind: 'entity', id: 'key-bob' }
const bodyOf = (content: string): ChatBody => ({ model: 'gpt-4', messages: [{ role: 'user', content }] })

const argumentsOf = (line: string) => curlArguments(line, { ADMIN_TOKEN: 'the token', API_KEY: 'the key' })

describe('a curl command', () => {
  test('acts for an entity as the administrator, with the token in a variable', () => {
    expect(argumentsOf(curlLine(URL, BOB, bodyOf('Hello')))).toEqual([
      '-i',
      URL,
      '-H',
      'Authorization: Bearer the token',
      '-H',
      'X-Zael-Entity: key-bob',
      '-H',
      'Content-Type: application/json',
      '-d',
      '{"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]}',
    ])
  })

  test('uses a key, which it does not contain', () => {
    const line = curlLine(URL, { kind: 'key', key: 'sk-secret' }, bodyOf('Hello'))
    expect(line).not.toContain('sk-secret')
    expect(argumentsOf(line)).toContain('Authorization: Bearer the key')
    expect(line).not.toContain('X-Zael-Entity')
  })

  test('does not buffer a stream', () => {
    const body = { ...bodyOf('Hello'), stream: true as const }
    expect(argumentsOf(curlLine(URL, BOB, body))[0]).toBe('-iN')
  })

  test.each([
    `it's`,
    `'`,
    `''"'`,
    `"quoted"`,
    '$HOME `id` $(id) \\ \\n !! *',
    'two\nlines\tand a tab',
    'ends with \\',
    'naïve 東京 🪣',
    "'; exit 1; '",
  ])('carries the message %j through a shell as it is', (message) => {
    expect(argumentsOf(curlLine(URL, BOB, bodyOf(message))).at(-1)).toBe(JSON.stringify(bodyOf(message)))
  })
})

test.each(['', ' ', "'", 'a\nb', '$x'])('quotes %j as one word', (word) => {
  expect(argumentsOf(`curl ${quoted(word)}`)).toEqual([word])
})

test.each([
  [11, 3, 3],
  [2, 20, 2],
  [5, 1, 1],
])('sends %i requests, at most %i at once', async (count, parallelism, expectedAtOnce) => {
  let sent = 0
  let underWay = 0
  let mostUnderWay = 0
  await runRequests({ count, parallelism }, new AbortController().signal, async () => {
    sent++
    underWay++
    mostUnderWay = Math.max(mostUnderWay, underWay)
    await Promise.resolve()
    underWay--
  })
  expect({ sent, mostUnderWay }).toEqual({ sent: count, mostUnderWay: expectedAtOnce })
})

test('sends nothing after it is stopped', async () => {
  const stopping = new AbortController()
  let sent = 0
  await runRequests({ count: 200, parallelism: 4 }, stopping.signal, async () => {
    if (++sent === 10) stopping.abort()
    await Promise.resolve()
  })
  expect(sent).toBeLessThan(15)
})
