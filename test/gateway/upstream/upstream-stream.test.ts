import { expect, test } from 'vitest'
import { sseData } from '../../../src/gateway/upstream/upstream-stream.ts'

/** The events in `text`, sent `size` bytes at a time. */
const events = async (text: string, size: number): Promise<readonly string[]> => {
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
  const read: string[] = []
  for await (const data of sseData(body)) read.push(data)
  return read
}

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ['events', 'data: a\n\ndata: b\n\n', ['a', 'b']],
  ['lines that end in CR LF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['data over several lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['data without a space', 'data:a\n\n', ['a']],
  ['data without comments and other fields', ': ping\n\nevent: x\nid: 1\ndata: a\n\n', ['a']],
  ['an event that the end cuts off', 'data: a\n\ndata: b', ['a', 'b']],
  ['letters of several bytes', 'data: \u6f22\ud83d\ude00\n\n', ['\u6f22\ud83d\ude00']],
]

test.each(CASES)('the stream parser reads %s, at any cut', async (_, text, expected) => {
  for (const size of [1, 2, 3, 1000]) expect(await events(text, size)).toEqual(expected)
})

test('the stream parser rejects an event that never ends', async () => {
  const part = new TextEncoder().encode('x'.repeat(1024 * 1024))
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('data: ')),
    pull: (controller) => controller.enqueue(part),
  })
  await expect(sseData(body).next()).rejects.toThrow('longer than 4194304 characters')
})
