import { describe, expect, test } from 'vitest'
import { curlLine, quoted } from '../../../dashboard/try-it/curl-card.tsx'
import type { Caller, ChatBody } from '../../../dashboard/try-it/request-draft.ts'
import { curlArguments } from './curl-arguments.ts'

const URL = 'https://api.example/prod/v1/chat/completions'
const BOB: Caller = { kind: 'entity', id: 'key-bob' }
const bodyOf = (content: string): ChatBody => ({ model: 'gpt-4', messages: [{ role: 'user', content }] })

const argumentsOf = (line: string) => curlArguments(line, { ADMIN_TOKEN: 'the token', API_KEY: 'the key' })

describe('a line for curl', () => {
  test('asks as the admin who acts for an entity, the token in a variable', () => {
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

  test('asks with a key, which does not stand in it', () => {
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
