/** A body that takes much longer to process than to send, unless the work is bounded. */
export interface HostileBody {
  readonly name: string
  readonly path: '/v1/limits/check' | '/v1/chat/completions'
  readonly body: string
}

const CHECK = '/v1/limits/check'
const CHAT = '/v1/chat/completions'

const list = (count: number, item: string): string => `[${Array(count).fill(item).join(',')}]`
const fields = (count: number, first: number): string =>
  Array.from({ length: count }, (_, index) => `"k${(first + index).toString(36)}":1`).join(',')
const chat = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'gpt-4', max_tokens: 1, messages: [{ role: 'user', content }], ...more })

/** 20,000 fields with unique names, in objects of 45: the slowest body for a parser within the bounds. */
const unlikeFields = `{"model":"gpt-4","metadata":[${Array.from(
  { length: 440 },
  (_, index) => `{${fields(45, 45 * index)}}`,
).join(',')}]}`

const randomLetters = (count: number): string => {
  let state = 1
  const letter = () => {
    state = (state * 48_271) % 2_147_483_647
    return 'abcdefghijklmnopqrstuvwxyz'.charAt(state % 26)
  }
  return Array.from({ length: count }, letter).join('')
}

export const HOSTILE_BODIES: readonly HostileBody[] = [
  { name: '500,000 numbers as checks', path: CHECK, body: list(500_000, '1') },
  { name: '340,000 checks', path: CHECK, body: list(340_000, '{}') },
  { name: '16,000 checks in 64 KiB', path: CHECK, body: list(16_000, '{}') },
  {
    name: '500,000 numbers as messages',
    path: CHAT,
    body: `{"model":"gpt-4","messages":${list(500_000, '1')}}`,
  },
  {
    name: '49,000 numbers as messages',
    path: CHAT,
    body: `{"model":"gpt-4","messages":${list(49_000, '1')}}`,
  },
  {
    name: '30,000 messages',
    path: CHAT,
    body: `{"model":"gpt-4","messages":${list(30_000, '{"role":"user"}')}}`,
  },
  { name: '90,000 fields', path: CHAT, body: `{${fields(90_000, 0)}}` },
  { name: '19,800 fields with unlike names', path: CHAT, body: unlikeFields },
  { name: '90,000 levels', path: CHAT, body: '['.repeat(90_000) },
  {
    name: '128 choices of 16,384 tokens, streamed',
    path: CHAT,
    body: chat('Hi', { n: 128, max_tokens: 16_384, stream: true }),
  },
  {
    name: '128 choices of 16,384 tokens, whole',
    path: CHAT,
    body: chat('Hi', { n: 128, max_tokens: 16_384 }),
  },
  { name: 'a prompt of 520,000 s', path: CHAT, body: chat('s'.repeat(520_000)) },
  { name: "a prompt of 260,000 's", path: CHAT, body: chat("'s".repeat(260_000)) },
  { name: 'a prompt of 520,000 random letters', path: CHAT, body: chat(randomLetters(520_000)) },
  { name: 'a prompt of 90,000 words', path: CHAT, body: chat('word '.repeat(90_000)) },
]
