import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { chatSchema } from '../../src/contract/chat.ts'
import { checkSchema } from '../../src/contract/checks.ts'
import { createUsualChat, isUsualCheck } from '../../src/contract/usual-bodies.ts'

type Path = readonly (string | number)[]

/** JSON texts of values that are within the bounds of some field, at them, beyond them, or of another type. */
const VALUES = [
  ...['null', 'true', 'false', '0', '-0', '1', '-1', '0.5', '128', '129', '1000000000', '1000000001'],
  ...['9007199254740991', '9007199254740992', '1e400', '""', '"a"', '"a b"', '"_default_"', '"_total_"'],
  ...[
    '{}',
    '{"a":1}',
    '{"__proto__":1}',
    '{"requests":1}',
    '{"requests":-1}',
    '{"request":1}',
    '{"role":"a"}',
  ],
  ...['[]', '[1]', '["a"]', '[null]', '[{}]', '[{"role":"a"}]', '[{"role":"a","content":1}]'],
]

/** The JSON of `body` with another value at `path`. */
const changed = (body: unknown, [key, ...rest]: Path, value: string): string => {
  if (key === undefined) return value
  if (Array.isArray(body))
    return `[${body.map((item, at) => (at === key ? changed(item, rest, value) : JSON.stringify(item)))}]`
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : []
  const others = fields
    .filter(([name]) => name !== key)
    .map(([name, field]) => `"${name}":${JSON.stringify(field)}`)
  const own = changed(fields.find(([name]) => name === key)?.[1], rest, value)
  return `{${[...others, `"${key}":${own}`].join(',')}}`
}

const CHECK = { cost: { requests: 1 }, resource: 'gpt-4', dry_run: true, reserve: false }

const CHECK_PATHS: readonly Path[] = [
  ...[
    [],
    ['cost'],
    ['cost', 'requests'],
    ['cost', 'tokens'],
    ['cost', 'a'],
    ['cost', '__proto__'],
    ['resource'],
  ],
  ...[['dry_run'], ['reserve'], ['user'], ['context'], ['idempotency_key'], ['expires_in_seconds'], ['a']],
  ['__proto__'],
]

const MESSAGE = { role: 'user', content: 'Hello', name: 'a' }

const CHAT = {
  model: 'gpt-4',
  messages: [MESSAGE, MESSAGE],
  max_tokens: 5,
  stream: false,
  user: 'a',
  seed: 7,
}

const CHAT_PATHS: readonly Path[] = [
  ...[[], ['model'], ['messages'], ['messages', 1], ['messages', 1, 'role'], ['messages', 1, 'content']],
  ...[
    ['messages', 1, 'name'],
    ['messages', 1, 'a'],
    ['messages', 1, '__proto__'],
    ['max_tokens'],
    ['stream'],
  ],
  ...[['max_completion_tokens'], ['user'], ['n'], ['stream_options'], ['stream_options', 'include_usage']],
  ...[['temperature'], ['top_p'], ['stop'], ['tools'], ['a'], ['__proto__']],
]

const isUsualChat = createUsualChat({ mostMessages: 3, mostTokens: 1e9 })

describe.each([
  { what: 'checks', isUsual: isUsualCheck, schema: checkSchema, body: CHECK, paths: CHECK_PATHS },
  { what: 'chats', isUsual: isUsualChat, schema: chatSchema, body: CHAT, paths: CHAT_PATHS },
])('$what that are accepted by hand', ({ isUsual, schema, body, paths }) => {
  test('include the usual ones', () => {
    expect(isUsual(body)).toBe(true)
  })

  test.each(paths.map((path) => [path.join('.') || 'the whole', path] as const))(
    'are returned unchanged by the schema: %s',
    (_, path) => {
      for (const text of VALUES.map((value) => changed(body, path, value))) {
        const value: unknown = JSON.parse(text)
        if (!isUsual(value)) continue
        const { success, output } = v.safeParse(schema, value)
        expect({ text, success, output }).toEqual({ text, success: true, output: value })
      }
    },
  )
})

test('a chat with more messages than allowed is not accepted by hand', () => {
  const messages = [MESSAGE, MESSAGE, MESSAGE]
  expect(isUsualChat({ messages })).toBe(true)
  expect(isUsualChat({ messages: [...messages, MESSAGE] })).toBe(false)
})
