import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createEntityList } from '../../../../src/store/dynamodb/admin/entity-list.ts'
import type { TableReads } from '../../../../src/store/dynamodb/table/table-reads.ts'

const unused = (): never => {
  throw new Error('not read here')
}

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
  const list = createEntityList(reads)
  await Promise.all(Array.from({ length: 4 }, () => list({ limit: 10, q: 'x' })))
  expect(scanned()).toBeGreaterThan(4)
  expect(most()).toBe(1)
})

test('a read that fails does not hold up the searches behind it', async () => {
  const { reads } = endless()
  let isFirst = true
  const list = createEntityList({
    ...reads,
    async indexPage(...asked) {
      if (asked[2] !== 'all' || !isFirst) return reads.indexPage(...asked)
      isFirst = false
      throw new Error('the table is unavailable')
    },
  })
  const outcomes = await Promise.allSettled([list({ limit: 1, q: 'x' }), list({ limit: 1, q: 'x' })])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})
