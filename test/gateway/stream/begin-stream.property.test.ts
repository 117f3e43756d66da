import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { runs } from '../../property-runs.ts'
import { chunk, content, DONE, END, readAll, startStream, usage } from './support/streamed-chat.ts'

/** What an upstream sends, the usual and the unusual. */
const part = fc.oneof(
  { arbitrary: fc.constantFrom('Hello', ' wörld', '日本', '').map((text) => content(text)), weight: 6 },
  { arbitrary: fc.constantFrom(': ping\n\n', ':\n', '\n', 'data:\n\n', 'event: x\n\n'), weight: 3 },
  fc.constantFrom(END, END.replaceAll('\n', '\r\n'), END.replaceAll('\n', '\r')),
  fc.constantFrom(DONE, 'data: [DONE] \n\n', 'data:[DONE]\r\n\r\n'),
  fc.constantFrom(
    chunk({ choices: [], ...usage(9, 12) }),
    content('x', usage(9, 1)),
    content('', usage(0, 0)),
  ),
  fc.constantFrom('data: {oops\n\n', 'data: 1\ndata: 2\n\n', `id: 1\n${content('a')}`),
  fc.constantFrom('data: {"error":{"message":"no","code":503}}\n\n', 'data: {"error":"no"}\n\n'),
)

const sent = fc
  .tuple(fc.array(part, { maxLength: 8 }), fc.constantFrom('', '', DONE, END, content('cut').slice(0, 60)))
  .map(([parts, cut]) => Buffer.from(parts.join('') + cut.trimEnd()))

const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })

/** What a client receives of these bytes in chunks of these sizes, again and again. */
const received = async (bytes: Buffer, sizes: readonly number[], isReset: boolean) => {
  const { upstream, start, ends } = startStream()
  for (let [at, index] = [0, 0]; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    upstream.send(bytes.subarray(at, at + size))
    at += size
  }
  if (isReset) upstream.fail('reset')
  else upstream.end()
  const result = await start
  if (result.kind === 'failed') return { result, charge: result.charge, ends }
  const text = await readAll(result.events)
  // nothing is awaited behind [DONE], not even the LF of its last CR
  return { text: text.replace(/\r\n$/, '\r'), charge: await result.events.charge(), ends }
}

test.prop([sent, sizes, fc.boolean()], { numRuns: runs(1000) })(
  'a client receives and is charged the same in any chunks',
  async (bytes, sizes, isReset) => {
    const whole = await received(bytes, [bytes.length + 1], isReset)
    expect(await received(bytes, sizes, isReset)).toEqual(whole)
    expect(await received(bytes, [1], isReset)).toEqual(whole)
  },
)

test.prop([sent, fc.boolean()], { numRuns: runs(1000) })(
  'a stream that has begun ends with one [DONE], and after an error unless it is complete',
  async (bytes, isReset) => {
    const { text, ends } = await received(bytes, [bytes.length + 1], isReset)
    if (text === undefined) {
      expect(ends).toEqual([])
      return
    }
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    expect(text).toMatch(/\[DONE\]\s*$/)
    expect(ends).toMatchObject([{ kind: text.includes('"error"') ? 'failed' : 'complete' }])
  },
)
