import { describe, expect, test } from 'vitest'
import { curlLine, quoted } from '../../dashboard/try-it/curl-card.tsx'
import type { RequestBody } from '../../dashboard/try-it/model-apis.ts'
import { factsOf, headerGroups } from '../../dashboard/try-it/outcome-row.tsx'
import { neverReasons } from '../../dashboard/try-it/problem-notice.tsx'
import { type Caller, type Draft, parseDraft } from '../../dashboard/try-it/request-draft.ts'
import {
  countsText,
  EMPTY_TALLY,
  MAX_OUTCOMES,
  runRequests,
  withOutcomes,
  withRun,
} from '../../dashboard/try-it/run.ts'
import { type Outcome, readResponse } from '../../dashboard/try-it/send-request.ts'
import { suggestedCaller } from '../../dashboard/try-it/try-it.tsx'
import { byOwner, isRefilling, type LimitState } from '../../dashboard/try-it/watched-limits.ts'
import { curlArguments } from './support/curl-arguments.ts'

const DRAFT: Draft = {
  callerKind: 'entity',
  entityId: ' key-bob ',
  key: '',
  api: 'chat',
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
        api: 'chat',
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
const bodyOf = (content: string): RequestBody => ({ model: 'gpt-4', messages: [{ role: 'user', content }] })

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

const HEADERS = new Headers({ 'retry-after': '6' })
const read = (status: number, body: unknown) =>
  readResponse('chat', status, HEADERS, typeof body === 'string' ? body : JSON.stringify(body))

const VIOLATION = {
  limit_name: 'rpm',
  entity_id: 'key-bob',
  resource: 'gpt-4',
  available: 0,
  requested: 1,
  capacity: 10,
  retry_after_seconds: 5.2,
}

const USAGE = { prompt_tokens: 8, completion_tokens: 50, total_tokens: 58 }

describe('the response to a chat', () => {
  test('is allowed, with its usage', () => {
    expect(read(200, { usage: USAGE })).toMatchObject({
      kind: 'allowed',
      status: 200,
      headers: [['retry-after', '6']],
      usage: { prompt: 8, completion: 50 },
      denial: undefined,
    })
  })

  test.each([
    [
      'in the format of OpenAI',
      { error: { message: 'Rate limit reached' }, message: 'Exceeded' },
      'Rate limit reached',
    ],
    ['flat', { error: 'rate_limit_exceeded', message: 'Exceeded' }, 'Exceeded'],
  ])('is denied by limits, %s', (_, words, message) => {
    expect(read(429, { ...words, retry_after_seconds: 5.2, violations: [VIOLATION] })).toMatchObject({
      kind: 'denied',
      denial: { message, retryAfterSeconds: 5.2, violations: [VIOLATION] },
    })
  })

  test('can never pass without a retry time', () => {
    const never = { message: 'Too large', retry_after_seconds: null, violations: [] }
    expect(read(429, never).denial?.retryAfterSeconds).toBeNull()
  })

  test('has failed if no limit denied it', () => {
    expect(read(429, { error: 'too_many_failures', message: 'Too many' }).kind).toBe('failed')
    expect(read(401, { message: 'The API key is not valid' }).kind).toBe('failed')
    expect(read(502, '<html>').body).toBe('<html>')
  })

  test('that failed has a reason, and the wait of its headers', () => {
    expect(read(503, { error: { message: 'The store is unavailable' } }).failure).toEqual({
      message: 'The store is unavailable',
      retryAfterSeconds: 6,
    })
    expect(read(502, '<html>').failure?.message).toBe('The API returned status 502.')
    const precise = new Headers({ 'retry-after': '6', 'retry-after-ms': '5200' })
    expect(readResponse('chat', 429, precise, '{}').failure?.retryAfterSeconds).toBe(5.2)
    const dated = new Headers({ 'retry-after': 'Mon, 30 Nov 2026 09:31:52 GMT' })
    expect(readResponse('chat', 429, dated, '{}').failure?.retryAfterSeconds).toBeUndefined()
    expect(readResponse('chat', 500, new Headers(), '{}').failure?.retryAfterSeconds).toBeUndefined()
  })

  test('that contains an error has failed at any status', () => {
    expect(read(200, { error: { message: 'no capacity' } })).toMatchObject({
      kind: 'failed',
      failure: { message: 'no capacity' },
    })
    expect(read(200, { error: null, choices: [] }).kind).toBe('allowed')
  })

  test('is truncated if it is long', () => {
    const { body } = read(200, 'x'.repeat(100_000))
    expect(body.length).toBeLessThan(21_000)
    expect(body).toContain('100000 characters in all')
  })
})

const outcome = (number: number, kind: Outcome['kind'] = 'allowed'): Outcome => ({
  number,
  kind,
  status: 200,
  headers: [],
  text: '',
  usage: undefined,
  events: undefined,
  firstMs: undefined,
  denial: undefined,
  failure: undefined,
  body: '',
  durationMs: 1,
  endedAtMs: 1,
})

describe('a tally', () => {
  test('has the newest first, in any order of arrival', () => {
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, [outcome(2), outcome(1)]), [outcome(4), outcome(3)])
    expect(tally.outcomes.map(({ number }) => number)).toEqual([4, 3, 2, 1])
  })

  test('keeps the last 200, and counts all', () => {
    const many = Array.from({ length: 150 }, (_, index) => outcome(index + 1))
    const more = Array.from({ length: 150 }, (_, index) => outcome(index + 151, 'denied'))
    const tally = withOutcomes(withOutcomes(EMPTY_TALLY, many), more)
    expect(tally.outcomes).toHaveLength(MAX_OUTCOMES)
    expect(tally.outcomes.at(-1)?.number).toBe(101)
    expect(tally.counts).toEqual({ allowed: 150, denied: 150, failed: 0 })
  })

  test('drops the denial of the previous run, and counts the new run separately', () => {
    const before = withOutcomes(EMPTY_TALLY, [outcome(1, 'denied')])
    expect(before.denied?.number).toBe(1)
    const after = withOutcomes(withRun(before), [outcome(2)])
    expect(after).toMatchObject({ denied: undefined, run: { allowed: 1, denied: 0, failed: 0 } })
    expect(after.counts).toEqual({ allowed: 1, denied: 1, failed: 0 })
  })

  test('contains the last failure of its run', () => {
    const before = withOutcomes(EMPTY_TALLY, [outcome(1, 'failed'), outcome(2, 'failed'), outcome(3)])
    expect(before.failed?.number).toBe(2)
    expect(withRun(before).failed).toBeUndefined()
  })

  test('contains a stopped request, and does not count it', () => {
    const tally = withOutcomes(EMPTY_TALLY, [outcome(1), outcome(2, 'stopped')])
    expect(tally.outcomes.map(({ number }) => number)).toEqual([2, 1])
    expect(tally.run).toEqual({ allowed: 1, denied: 0, failed: 0 })
  })

  test('is described in words', () => {
    expect(countsText({ allowed: 10, denied: 1, failed: 0 })).toBe(
      '11 requests: 10 allowed, 1 denied, 0 failed',
    )
    expect(countsText({ allowed: 1, denied: 0, failed: 0 })).toMatch(/^1 request: /)
  })
})

const violation = {
  limit_name: 'tpm',
  entity_id: 'key-bob',
  resource: 'gpt-4',
  available: 830,
  requested: 5008,
  capacity: 1000,
  retry_after_seconds: null,
}

const noMeter = () => undefined

test('explains why a request can never pass, by the limits that no wait helps', () => {
  const curable = { ...violation, limit_name: 'rpm', retry_after_seconds: 5 }
  expect(neverReasons([curable, violation], noMeter)).toEqual([
    'It requests 5,008, but tpm of key-bob allows at most 1,000.',
  ])
  const kept = { ...violation, entity_id: 'POLICY:MODEL_TIER:free', requested: 900 }
  expect(neverReasons([kept], noMeter)[0]).toMatch(
    /900.* tpm of MODEL_TIER free .*reserved for higher priorities/,
  )
})

test('explains why a request can never pass in dollars for money', () => {
  const budget = { ...violation, limit_name: 'budget', requested: 2_500_000, capacity: 1_000_000 }
  expect(neverReasons([budget], () => 'cost_usd_micros')).toEqual([
    'It requests $2.50, but budget of key-bob allows at most $1.00.',
  ])
})

test('explains that a request can never pass because a limit is paused', () => {
  expect(neverReasons([{ ...violation, available: 0, capacity: 0 }], noMeter)).toEqual([
    'tpm of key-bob is paused: its size is 0.',
  ])
})

test('sorts headers about limits first, by name', () => {
  const headers = [
    ['x-request-id', '1'],
    ['x-zael-degraded', 'true'],
    ['ratelimit', '"rpm";r=1'],
    ['content-type', 'application/json'],
    ['retry-after', '6'],
    ['anthropic-ratelimit-tokens-reset', '2026-11-30T09:31:55Z'],
    ['x-zael-upstream', 'openai'],
  ] as const
  const { limits, others } = headerGroups(headers)
  expect(limits.map(([name]) => name)).toEqual([
    'anthropic-ratelimit-tokens-reset',
    'ratelimit',
    'retry-after',
    'x-zael-degraded',
  ])
  expect(others.map(([name]) => name)).toEqual(['content-type', 'x-request-id', 'x-zael-upstream'])
})

test.each([
  [outcome(1), []],
  [{ ...outcome(1), headers: [['x-zael-upstream', 'openai']] as const }, ['Upstream: openai']],
  [{ ...outcome(1), events: 1, firstMs: 11.7 }, ['1 event', 'first after 12 ms']],
  [{ ...outcome(1), events: 1200 }, ['1,200 events']],
])('states the upstream and the events of %j as %j', (result, facts) => {
  expect(factsOf(result)).toEqual(facts)
})

test.each([
  [[], undefined],
  [[['project', null]], 'project'],
  [
    [
      ['project', null],
      ['key-alice', 'project'],
    ],
    'key-alice',
  ],
  [
    [
      ['key-alice', 'project'],
      ['key-bob', 'project'],
    ],
    'key-bob',
  ],
])('suggests of the entities %j %s as the caller', (entities, expected) => {
  const items = entities.map(([id, parent]) => ({ entity_id: String(id), parent_id: parent ?? null }))
  expect(suggestedCaller(items)).toBe(expected)
})

const limit = (entity_id: string, limit_name: string, used = 0, algorithm = 'token_bucket'): LimitState => ({
  entity_id,
  limit_name,
  algorithm,
  used,
  resource: 'gpt-4',
  capacity: 10,
  available: 10 - used,
  reset_after_seconds: 0,
  source: 'entity:_default_',
})

test('groups limits by owner, those of the caller first', () => {
  const owned = byOwner([limit('b', 'rpm'), limit('a', 'rpm'), limit('b', 'tpm')])
  expect(owned.map(({ owner, limits }) => [owner, limits.length])).toEqual([
    ['b', 2],
    ['a', 1],
  ])
})

test('only token buckets that are not full are refilling', () => {
  expect(isRefilling(byOwner([limit('a', 'rpm'), limit('P', 'rph', 3, 'sliding_window')]))).toBe(false)
  expect(isRefilling(byOwner([limit('a', 'rpm', 1)]))).toBe(true)
})
