import { expect, test } from 'vitest'
import { boundedJson } from '../../../src/library/middleware/bounded-json.ts'

const read = (body: string) =>
  boundedJson(new Response(body, { headers: { 'content-type': 'application/json' } }))

const list = (count: number): string => `[${Array(count).fill(1).join(',')}]`

test.each([
  ['usage', '{"usage":{"total_tokens":7}}', { usage: { total_tokens: 7 } }],
  ['a long text', JSON.stringify('x'.repeat(1_000_000)), 'x'.repeat(1_000_000)],
  ['what is not JSON', '{', undefined],
  ['more than a megabyte', JSON.stringify('x'.repeat(1_048_576)), undefined],
  ['more than 100,000 values', list(100_001), undefined],
  ['more than 100 levels', `${'['.repeat(101)}${']'.repeat(101)}`, undefined],
])('reads %s within its bounds', async (_, body, value) => {
  expect(await read(body)).toEqual(value)
})
