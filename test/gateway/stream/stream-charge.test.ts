import { expect, test, vi } from 'vitest'
import { chatApi } from '../../../src/gateway/apis/chat.ts'
import { type CountText, createStreamCharge } from '../../../src/gateway/stream/stream-charge.ts'
import { turn } from './support/manual-timer.ts'
import { chunk, content, DONE, END, forwarded, usage } from './support/streamed-chat.ts'

test('an error before visible output is not charged', async () => {
  const { charge } = await forwarded([
    ': processing\n\n',
    content(''),
    'data: {"error":{"message":"no"}}\n\n',
  ])
  expect(charge).toEqual({ of: 'nothing' })
})

test('the usage in a large event is charged', async () => {
  const last = content('Hello', { image: 'x'.repeat(5_000_000), ...usage(9, 12) })
  const { charge } = await forwarded([...(last.match(/.{1,65536}/gs) ?? []), END, DONE])
  expect(charge).toMatchObject({ usage: { inputTokens: 9, outputTokens: 12 } })
})

test.each([
  ['the larger count', 1, 'Hello world', 11],
  ['the larger report', 100, 'Hello world', 100],
])('text after the last report is charged by %s', async (_, reported, text, outputTokens) => {
  const { charge } = await forwarded([content('', usage(9, reported)), content(text), END, DONE])
  expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens } })
})

test('usage on the last event with text includes that text', async () => {
  const { charge } = await forwarded([content('Hello'), content(' world', usage(9, 2)), END, DONE])
  expect(charge).toEqual({ of: 'usage', usage: { inputTokens: 9, outputTokens: 2 } })
})

test('a whole stream without visible output and usage is charged the estimate', async () => {
  expect((await forwarded([END, DONE])).charge).toEqual({ of: 'estimate' })
})

/** The charge of a stream of these texts, whose texts are counted as `countText` does. */
const chargeOf = async (texts: readonly string[], countText: CountText, last: object = {}) => {
  const reader = chatApi.createStreamReader({})
  const charge = createStreamCharge(reader, 7, countText)
  for (const data of [...texts.map((text) => content(text)), chunk({ choices: [], ...last })]) {
    reader.read({ name: undefined, data: data.slice('data: '.length) })
    charge.addEvent()
    // a count that fails before the charge is asked for must not be an unhandled rejection
    await turn()
  }
  return charge.result()
}

test('no text is counted where usage is reported', async () => {
  const countText = vi.fn<CountText>()
  expect(await chargeOf(['Hello'], countText, usage(9, 2))).toMatchObject({ usage: { outputTokens: 2 } })
  expect(countText).not.toHaveBeenCalled()
})

test('a long text is counted in parts, so that it is not kept', async () => {
  const lengths: number[] = []
  const countText = async ({ length }: string) => {
    lengths.push(length)
    return length
  }
  const texts = Array.from({ length: 60 }, () => 'x'.repeat(10_000))
  expect(await chargeOf(texts, countText)).toEqual({
    of: 'usage',
    usage: { inputTokens: 7, outputTokens: 600_000 },
  })
  expect(Math.max(...lengths)).toBeLessThanOrEqual(256 * 1024 + 10_000)
})

test('a text that cannot be counted is charged the estimate', async () => {
  const countText = async () => {
    throw new Error('no tokenizer')
  }
  expect(
    await chargeOf(
      Array.from({ length: 60 }, () => 'x'.repeat(10_000)),
      countText,
    ),
  ).toEqual({ of: 'estimate' })
})
