import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { TooManyRequests } from '../../../../src/core/model/errors.ts'
import { encodeCursor } from '../../../../src/store/cursor.ts'
import {
  createEntityList,
  createSearchPace,
  SEARCH_PACE,
} from '../../../../src/store/dynamodb/admin/entity-list.ts'
import type { TableReads } from '../../../../src/store/dynamodb/table-reads.ts'

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

const unused = (): never => {
  throw new Error('not read here')
}

const withoutPauses = () => createSearchPace({ ...SEARCH_PACE, pause: async () => {} })

/** Reads of an index that never ends, and how many of whole pages were under way at once. */
const endless = () => {
  let [underWay, most, scanned] = [0, 0, 0]
  const reads: TableReads = {
    get: unused,
    getAll: unused,
    partition: unused,
    page: unused,
    async indexPage(_index, _partition, range) {
      if (range !== 'all') return { items: [], next: undefined }
      underWay += 1
      scanned += 1
      most = Math.max(most, underWay)
      await nextTurn()
      underWay -= 1
      return { items: [], next: scanned % 3 === 0 ? undefined : { GSI1SK: { S: `e${scanned}` } } }
    },
  }
  return { reads, most: () => most, scanned: () => scanned }
}

test('searches of all viewers read one page of others at a time', async () => {
  const { reads, most, scanned } = endless()
  const list = createEntityList(reads, withoutPauses())
  await Promise.all(Array.from({ length: 4 }, () => list({ limit: 10, q: 'x' })))
  expect(scanned()).toBeGreaterThan(4)
  expect(most()).toBe(1)
})

test('a read that fails does not hold up the searches behind it', async () => {
  const { reads } = endless()
  let isFirst = true
  const failing: TableReads = {
    ...reads,
    async indexPage(...asked) {
      if (asked[2] !== 'all' || !isFirst) return reads.indexPage(...asked)
      isFirst = false
      throw new Error('the table is unavailable')
    },
  }
  const list = createEntityList(failing, withoutPauses())
  const outcomes = await Promise.allSettled([list({ limit: 1, q: 'x' }), list({ limit: 1, q: 'x' })])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})

test('at most 32 searches read at once, and later ones are admitted when they have ended', async () => {
  const { reads, scanned } = endless()
  const list = createEntityList(reads, withoutPauses())
  const search = () => list({ limit: 1, q: 'x' })
  const outcomes = await Promise.allSettled(Array.from({ length: SEARCH_PACE.maxSearches + 8 }, search))
  const rejected = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(rejected).toHaveLength(8)
  for (const error of rejected) expect(error).toBeInstanceOf(TooManyRequests)
  const before = scanned()
  expect((await search()).items).toEqual([])
  expect(scanned()).toBeGreaterThan(before)
})

test('ids that begin with the text are found while 32 others read', async () => {
  const { reads } = endless()
  const found: TableReads = {
    ...reads,
    indexPage: async (index, partition, range, page) =>
      range === 'all'
        ? reads.indexPage(index, partition, range, page)
        : { items: [], next: { GSI1SK: { S: 'x' } } },
  }
  const list = createEntityList(found, withoutPauses())
  const others = Array.from({ length: SEARCH_PACE.maxSearches }, () =>
    list({ limit: 1, q: 'x', cursor: encodeCursor('others', 'a') }),
  )
  expect((await list({ limit: 1, q: 'x' })).nextCursor).toBe(encodeCursor('prefix', 'x'))
  await Promise.all(others)
})
