import { describe, expect, test } from 'vitest'
import type { AdminStore, AuditRecord } from '../../src/core/ports/admin-store.ts'
import { aModel, anAudit, fresh, TODAY } from './store-fixtures.ts'

const DAY_NS = 86_400n * 1_000_000_000n

/** What every admin store records in the audit. */
export const auditSuite = (store: () => AdminStore): void => {
  describe('records of changes', () => {
    const record = async (fields: Partial<AuditRecord>): Promise<AuditRecord> => {
      const audit = anAudit(fields)
      await store().putModel(aModel({ id: fresh('model') }), audit)
      return audit
    }
    const pages = async (query: {
      readonly limit: number
      readonly subject?: string
      readonly from?: bigint
    }) => {
      const all: (readonly AuditRecord[])[] = []
      let cursor: string | null = null
      do {
        const page = await store().listAudit({ ...query, ...(cursor !== null && { cursor }) })
        all.push(page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      return all
    }

    test('returns recorded usage in every field', async () => {
      const audit = await record({
        before: { name: 'a', list: [1, 0.5, true, null, 'x'], nested: { deep: {} } },
        after: ['z', { n: 16.666666666666668 }],
        at: TODAY + 123_456_789n,
      })
      expect((await store().listAudit({ limit: 1, subject: audit.subject })).items).toEqual([audit])
    })

    test('keeps a record of a change that is not in the configuration', async () => {
      const audit = anAudit({ action: 'bucket.reset', after: { resource: 'gpt-4' } })
      await store().recordAudit(audit)
      expect((await store().listAudit({ limit: 1, subject: audit.subject })).items).toEqual([audit])
    })

    test('accepts records of events that do not change the configuration', async () => {
      const audit = anAudit({ subject: fresh('bucket') })
      await store().recordAudit(audit)
      expect((await store().listAudit({ limit: 5, subject: audit.subject })).items).toEqual([audit])
    })

    test('lists one subject newest first, over many days, in pages', async () => {
      const subject = fresh('subject')
      const records: AuditRecord[] = []
      for (const back of [3n, 0n, 200n, 1n, 2n])
        records.push(await record({ subject, at: TODAY - back * DAY_NS }))
      const expected = records.toSorted((a, b) => Number(b.at - a.at))
      expect(await pages({ limit: 50, subject })).toEqual([expected])
      expect(await pages({ limit: 2, subject })).toEqual([
        expected.slice(0, 2),
        expected.slice(2, 4),
        expected.slice(4),
      ])
      expect(await pages({ limit: 5, subject })).toEqual([expected])
    })

    test('leaves out records before `from`', async () => {
      const subject = fresh('subject')
      await record({ subject, at: TODAY - 5n })
      const kept = [
        await record({ subject, at: TODAY - 4n }),
        await record({ subject, at: TODAY - 3n }),
      ].toReversed()
      expect(await pages({ limit: 50, subject, from: TODAY - 4n })).toEqual([kept])
      expect(await pages({ limit: 1, subject, from: TODAY - 4n })).toEqual(kept.map((each) => [each]))
      expect(await pages({ limit: 50, subject, from: TODAY + DAY_NS })).toEqual([[]])
    })

    test('lists everything newest first, by days, each record once', async () => {
      const made: AuditRecord[] = []
      for (const back of [0n, 1n, 1n, 9n, 40n, 300n])
        made.push(await record({ at: TODAY - back * DAY_NS - BigInt(made.length), subject: fresh('any') }))
      const all = (await pages({ limit: 1000 })).flat()
      expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted((a, b) => Number(b - a)))
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
      const ids = made.map(({ id }) => id)
      expect(all.filter(({ id }) => ids.includes(id))).toEqual(made.toSorted((a, b) => Number(b.at - a.at)))
      const few = await pages({ limit: 7 })
      expect(few.flat()).toEqual(all)
      expect(few.slice(0, -1).every(({ length }) => length === 7)).toBe(true)
    })

    test('leaves out older records from a list of all subjects', async () => {
      const from = TODAY + 1_000_000_000n
      const kept = await record({ at: from + 1n })
      await record({ at: from - 1n })
      expect(await pages({ limit: 50, from })).toEqual([[kept]])
    })

    test.each([
      'x',
      Buffer.from('["a","b","c"]').toString('base64url'),
      Buffer.from('["",""]').toString('base64url'),
    ])('refuses the cursor %s', async (cursor) => {
      for (const query of [
        { limit: 5, cursor },
        { limit: 5, cursor, subject: 'any' },
      ])
        await expect(store().listAudit(query)).rejects.toMatchObject({ field: 'cursor' })
    })
  })
}
