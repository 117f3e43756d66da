import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { limitList } from '../../src/contract/limit-sizes.ts'
import { limitsNotation } from '../../src/contract/notation.ts'
import { parse } from '../../src/contract/parse.ts'
import type { Limit } from '../../src/core/model/limit.ts'
import { nsPerToken } from '../../src/core/model/time.ts'
import { exportedDocument, exportedYaml } from '../../src/declarative/export.ts'
import { type DeclaredItems, keyOf, type StoredItem, scopeOf } from '../../src/declarative/items.ts'
import { type Plan, planOf } from '../../src/declarative/plan.ts'
import { readDeclaration } from '../../src/declarative/read-file.ts'
import { runs } from '../property-runs.ts'
import { anyDocument, itemsOf, limitsBody, wholeDocument } from './declarations.ts'
import { applied, storedOf } from './stored-configuration.ts'

const planFor = (stored: readonly StoredItem[], declared: DeclaredItems, prune: boolean): Plan => {
  const planned = planOf(stored, declared, { prune })
  if ('faults' in planned) throw new Error(JSON.stringify(planned.faults))
  return planned.plan
}

const keysOf = (items: readonly Pick<StoredItem, 'kind' | 'id'>[]): ReadonlySet<string> =>
  new Set(items.map(keyOf))

const shuffled = <T>(items: readonly T[], order: readonly number[]): readonly T[] =>
  items
    .map((item, index) => ({ item, at: order[index % order.length] ?? 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

/** The same for limits that have the same effect: with its defaults, and ns per token in place of a rate. */
const meaningOf = ({ size, schedule, headroom, ...limit }: Limit) => ({
  mode: 'enforce',
  refund: 'strict',
  ...(size.algorithm !== 'concurrency' && { warnAt: 0.8 }),
  ...limit,
  size: sizeMeaning(size),
  schedule: schedule?.map((entry) => ({ ...entry, size: sizeMeaning(entry.size) })),
  headroom: { normal: headroom?.normal ?? 0, low: headroom?.low ?? 0 },
})

const sizeMeaning = (size: Limit['size']) =>
  size.algorithm === 'token_bucket' && size.capacity > 0
    ? { capacity: size.capacity, nsPerToken: nsPerToken(size.refillRate) }
    : size

describe('the notation of limits', () => {
  test.prop([limitsBody()], { numRuns: runs(600) })('is read back as the same limits', (body) => {
    const limits = parse(limitList, body, 'limits')
    const again = parse(limitList, limitsNotation(limits), 'limits')
    const byName = (a: Limit, b: Limit): number => (a.name < b.name ? -1 : 1)
    expect(again.map(meaningOf)).toEqual([...limits].sort(byName).map(meaningOf))
    expect(limitsNotation(again)).toEqual(limitsNotation(limits))
  })
})

describe('what is exported', () => {
  test.prop([wholeDocument], { numRuns: runs(200) })('changes nothing when it is applied', (document) => {
    const stored = storedOf(itemsOf(document))
    const exported = itemsOf(exportedDocument(stored))
    expect(planFor(stored, exported, true)).toEqual({ changes: [], extra: [] })
  })

  test.prop([wholeDocument], { numRuns: runs(100) })('is the same as YAML', (document) => {
    const stored = storedOf(itemsOf(document))
    const read = readDeclaration(exportedYaml(stored))
    expect('file' in read && read.file.declaration).toEqual(
      'file' in read && parsedAgain(exportedDocument(stored)),
    )
  })

  test.prop([wholeDocument, fc.array(fc.nat(), { minLength: 1, maxLength: 20 })], { numRuns: runs(100) })(
    'does not depend on the order of the items',
    (document, order) => {
      const stored = storedOf(itemsOf(document))
      expect(exportedYaml(shuffled(stored, order))).toBe(exportedYaml(stored))
    },
  )
})

const parsedAgain = (document: unknown) => {
  const read = readDeclaration(JSON.stringify(document))
  return 'file' in read ? read.file.declaration : read.mistakes
}

describe('a plan', () => {
  test.prop([wholeDocument, wholeDocument, fc.boolean()], { numRuns: runs(400) })(
    'leads to what the file declares, and is empty afterwards',
    (before, after, prune) => {
      const stored = storedOf(itemsOf(before))
      const declared = itemsOf(after)
      const plan = planOf(stored, declared, { prune })
      // without --prune, an entity of the file may be above one that stays as it is
      fc.pre(prune || !('faults' in plan))
      const reached = applied(stored, planFor(stored, declared, prune))
      expect(planFor(reached, declared, prune).changes).toEqual([])
      for (const key of keysOf(declared.items.filter(({ isAbsent }) => !isAbsent)))
        expect(keysOf(reached)).toContain(key)
    },
  )

  test.prop([wholeDocument, anyDocument, fc.boolean()], { numRuns: runs(400) })(
    'deletes only with --prune, and only in mappings that the file contains',
    (before, after, prune) => {
      const stored = storedOf(itemsOf(before))
      const declared = itemsOf(after)
      const planned = planOf(stored, declared, { prune })
      fc.pre(!('faults' in planned))
      const reached = keysOf(applied(stored, planFor(stored, declared, prune)))
      const owned = (item: StoredItem): boolean =>
        item.kind === 'limits' && !reached.has(`entity ${item.id.slice(0, item.id.indexOf('/'))}`)
      const file = new Map(declared.items.map((item) => [keyOf(item), item]))
      for (const item of stored) {
        const entry = file.get(keyOf(item))
        const isDeleted = entry === undefined ? prune && declared.scopes.has(scopeOf(item)) : entry.isAbsent
        expect(reached.has(keyOf(item))).toBe(!(isDeleted || owned(item)))
      }
    },
  )

  test.prop([wholeDocument, wholeDocument, fc.array(fc.nat(), { minLength: 1, maxLength: 20 })], {
    numRuns: runs(200),
  })('does not depend on the order of the items', (before, after, order) => {
    const stored = storedOf(itemsOf(before))
    const { items, scopes } = itemsOf(after)
    const plan = planFor(stored, { items, scopes }, true)
    expect(planFor(shuffled(stored, order), { items: shuffled(items, order), scopes }, true)).toEqual(plan)
  })

  test.prop([wholeDocument, wholeDocument, fc.nat()], { numRuns: runs(200) })(
    'that stops anywhere is continued by the next plan',
    (before, after, stop) => {
      const stored = storedOf(itemsOf(before))
      const declared = itemsOf(after)
      const { changes, extra } = planFor(stored, declared, true)
      const begun = { changes: changes.slice(0, stop % (changes.length + 1)), extra }
      const between = applied(stored, begun)
      const reached = applied(between, planFor(between, declared, true))
      expect(planFor(reached, declared, true).changes).toEqual([])
    },
  )
})
