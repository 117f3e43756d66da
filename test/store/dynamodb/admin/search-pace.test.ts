import { expect, test } from 'vitest'
import { TooManyRequests } from '../../../../src/core/model/errors.ts'
import { createSearchPace } from '../../../../src/store/dynamodb/admin/entity-list.ts'

/** A pace of two searches whose pauses end when they are told to, and what happened in which order. */
const manual = () => {
  const log: string[] = []
  const pauses: (() => void)[] = []
  const pace = createSearchPace({
    pauseMs: 20,
    maxSearches: 2,
    pause: (ms) =>
      new Promise<void>((resolve) => {
        log.push(`pause ${ms}`)
        pauses.push(resolve)
      }),
  })
  const read = (name: string) => async () => {
    log.push(name)
    return name
  }
  return { pace, log, read, endPause: () => pauses.shift()?.() }
}

test('runs one read at a time, first in, first out, with a pause between two', async () => {
  const { pace, log, read, endPause } = manual()
  const [one, two] = [pace.begin(), pace.begin()]
  const results = [one.read(read('a')), two.read(read('b')), one.read(read('c'))]
  expect(await results[0]).toBe('a')
  expect(log).toEqual(['a', 'pause 20'])
  endPause()
  expect(await results[1]).toBe('b')
  expect(log).toEqual(['a', 'pause 20', 'b', 'pause 20'])
  endPause()
  expect(await results[2]).toBe('c')
})

test('rejects the first read of one search too many, and runs nothing for it', async () => {
  const { pace, log, read } = manual()
  const admitted = [pace.begin(), pace.begin()]
  await admitted[0]?.read(read('a'))
  void admitted[1]?.read(read('b'))
  const error: unknown = await pace
    .begin()
    .read(read('c'))
    .catch((reason) => reason)
  expect(error).toBeInstanceOf(TooManyRequests)
  expect(error).toMatchObject({ message: 'Too many searches at once', retryAfterSeconds: 1 })
  expect(log).toEqual(['a', 'pause 20'])
})

test('counts a search once, from its first read to its end, whatever comes of its reads', async () => {
  const { pace, read, endPause } = manual()
  const idle = pace.begin()
  const [one, two, three] = [pace.begin(), pace.begin(), pace.begin()]
  await expect(one.read(() => Promise.reject(new Error('the table is unavailable')))).rejects.toThrow('table')
  endPause()
  await two.read(read('a'))
  endPause()
  await two.read(read('b'))
  endPause()
  await expect(three.read(read('c'))).rejects.toThrow(TooManyRequests)
  one.end()
  one.end()
  expect(await three.read(read('c'))).toBe('c')
  await expect(idle.read(read('d'))).rejects.toThrow(TooManyRequests)
  idle.end()
  await expect(pace.begin().read(read('e'))).rejects.toThrow(TooManyRequests)
})
