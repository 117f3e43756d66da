import { expect, test } from 'vitest'
import { UpstreamFailure, type UpstreamResponse } from '../../../src/gateway/upstream/exchange.ts'
import { readErrorBody } from '../../../src/gateway/upstream/whole-body.ts'

/** Sends these parts, and then nothing until it is cancelled or `leave` is called. */
const unending = (...parts: readonly string[]) => {
  const left = [...parts]
  let end = () => {}
  const isOver = new Promise<never>((_, reject) => {
    end = () => reject(new UpstreamFailure('aborted', { wasSent: true }))
  })
  isOver.catch(() => {})
  const response: UpstreamResponse = {
    status: 503,
    headers: {},
    async read() {
      const part = left.shift()
      return part === undefined ? isOver : Buffer.from(part)
    },
    cancel: () => end(),
  }
  return { response, leave: () => end() }
}

test('an error whose body does not end is read as far as it has arrived', async () => {
  const { response } = unending('over', 'loaded')
  expect(String(await readErrorBody(response, 1))).toBe('overloaded')
})

test('a caller that disconnects while the error of an upstream arrives ends it', async () => {
  const { response, leave } = unending('over')
  const reading = readErrorBody(response)
  leave()
  await expect(reading).rejects.toMatchObject({ failure: 'aborted' })
})
