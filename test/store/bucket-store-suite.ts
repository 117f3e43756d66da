import { describe, expect, test } from 'vitest'
import {
  type BucketId,
  type BucketStore,
  entityBucket,
  policyBucket,
} from '../../src/core/bucket/bucket-store.ts'
import {
  add,
  anyOf,
  atLeast,
  atMost,
  type BucketItem,
  below,
  between,
  type Condition,
  type ConditionalWrite,
  equal,
  missing,
  remove,
  set,
  setIfMissing,
} from '../../src/core/bucket/write.ts'
import type { PolicyScope } from '../../src/core/model/policy.ts'

const BIG = 99_999_999_999_999_999_999_999_999_999_999_999_999n

let made = 0
/** A bucket that no other test uses. */
const freshId = (): BucketId => entityBucket(`entity-${++made}`, 'gpt-4')

const always = (...actions: ConditionalWrite['actions']): ConditionalWrite => ({ conditions: [], actions })

const tamperWith = (item: BucketItem = {}): void => {
  if (typeof item.marks === 'object') Reflect.set(item.marks, 'a', 98n)
  Reflect.set(item, 'n', 98n)
}

/** What every bucket store does, by the rules of DynamoDB. `store` is created before the first test. */
export const bucketStoreSuite = (name: string, store: () => BucketStore): void => {
  describe(`${name} as a bucket store`, () => {
    const holding = async (item: BucketItem): Promise<BucketId> => {
      const id = freshId()
      await store().write(id, always(...Object.entries(item).map(([path, value]) => set(path, value))))
      return id
    }
    const passes = async (item: BucketItem, ...conditions: Condition[]): Promise<boolean> => {
      const outcome = await store().write(await holding(item), { conditions, actions: [set('touched', 1n)] })
      return outcome.applied
    }
    const refuses = async (item: BucketItem, write: ConditionalWrite): Promise<void> => {
      const id = await holding(item)
      await expect(store().write(id, write)).rejects.toMatchObject({ name: 'ValidationException' })
      expect(await store().read(id)).toEqual(item)
    }

    describe('writing', () => {
      test('creates a missing item, and returns its state', async () => {
        const id = freshId()
        const outcome = await store().write(id, always(set('tat', 5n), set('text', 'a')))
        expect(outcome).toEqual({ applied: true, item: { tat: 5n, text: 'a' } })
        expect(await store().read(id)).toEqual({ tat: 5n, text: 'a' })
      })

      test('changes nothing if a condition fails, and returns the stored item', async () => {
        const id = await holding({ tat: 5n })
        const outcome = await store().write(id, { conditions: [equal('tat', 6n)], actions: [set('tat', 7n)] })
        expect(outcome).toEqual({ applied: false, item: { tat: 5n } })
        expect(await store().read(id)).toEqual({ tat: 5n })
      })

      test('returns no item if a condition fails on a missing bucket', async () => {
        const id = freshId()
        const write = { conditions: [equal('tat', 6n)], actions: [set('tat', 7n)] }
        expect(await store().write(id, write)).toEqual({ applied: false, item: undefined })
        expect(await store().write(await holding({ a: 1n }), write)).toEqual({
          applied: false,
          item: { a: 1n },
        })
        expect(await store().write(id, write)).toEqual({ applied: false, item: undefined })
        expect(await store().read(id)).toBeUndefined()
      })

      test('keeps all digits of a number, below zero too', async () => {
        const id = await holding({ high: BIG, low: -BIG, zero: 0n, now: 1_700_000_000_123_456_789n })
        expect(await store().read(id)).toEqual({
          high: BIG,
          low: -BIG,
          zero: 0n,
          now: 1_700_000_000_123_456_789n,
        })
      })

      test('accepts names that DynamoDB reserves', async () => {
        const id = await holding({ ttl: 1n, size: 2n, name: 'x', 'with-dash': 3n })
        const write = { conditions: [equal('ttl', 1n)], actions: [add('ttl', 1n), remove('name')] }
        expect(await store().write(id, write)).toMatchObject({
          applied: true,
          item: { ttl: 2n, size: 2n, 'with-dash': 3n },
        })
      })

      test('makes an empty item from no actions at all', async () => {
        const id = freshId()
        expect(await store().write(id, always())).toEqual({ applied: true, item: {} })
      })

      test('lets exactly one of many compare-and-sets through', async () => {
        const id = await holding({ n: 0n })
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, () =>
            store().write(id, { conditions: [equal('n', 0n)], actions: [add('n', 1n)] }),
          ),
        )
        expect(outcomes.filter(({ applied }) => applied)).toHaveLength(1)
        expect(await store().read(id)).toEqual({ n: 1n })
      })

      test('loses none of many additions at once', async () => {
        const id = freshId()
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, () => store().write(id, always(add('n', 1n)))),
        )
        expect(new Set(outcomes.map(({ item }) => item?.n)).size).toBe(20)
        expect(await store().read(id)).toEqual({ n: 20n })
      })
    })

    describe('conditions', () => {
      test.each<[text: string, condition: Condition, holds: boolean]>([
        ['missing: of an attribute that is there', missing('n'), false],
        ['missing: of one that is not', missing('x'), true],
        ['missing: of a key that is there', missing(['marks', 'a']), false],
        ['missing: of a key that is not', missing(['marks', 'z']), true],
        ['missing: of a key in a missing map', missing(['x', 'a']), true],
        ['missing: of a key in what is no map', missing(['n', 'a']), true],
        ['equal: the same number', equal('n', 10n), true],
        ['equal: another number', equal('n', 11n), false],
        ['equal: the same text', equal('text', 'm'), true],
        ['equal: text that looks like the number', equal('n', '10'), false],
        ['equal: a missing attribute', equal('x', 10n), false],
        ['equal: a map', equal('marks', 10n), false],
        ['equal: a key of a map', equal(['marks', 'a'], 1n), true],
        ['below: more', below('n', 11n), true],
        ['below: the same', below('n', 10n), false],
        ['below: a missing attribute', below('x', 11n), false],
        ['below: text against a number', below('text', 11n), false],
        ['atMost: the same', atMost('n', 10n), true],
        ['atMost: less', atMost('n', 9n), false],
        ['atMost: a missing attribute', atMost('x', 9n), false],
        ['atMost: a key of a map', atMost(['marks', 'b'], 2n), true],
        ['atLeast: the same', atLeast('n', 10n), true],
        ['atLeast: more', atLeast('n', 11n), false],
        ['atLeast: a missing attribute', atLeast('x', -1n), false],
        ['between: both ends', between('n', 10n, 10n), true],
        ['between: below', between('n', 11n, 20n), false],
        ['between: above', between('n', 1n, 9n), false],
        ['between: a missing attribute', between('x', 1n, 9n), false],
        ['between: text', between('text', 1n, 9n), false],
        ['between: numbers, not their text', between('n', 9n, 100n), true],
        ['anyOf: the second', anyOf(equal('n', 1n), equal('n', 10n)), true],
        ['anyOf: none', anyOf(equal('n', 1n), missing('n')), false],
      ])('%s', async (_, condition, holds) => {
        expect(await passes({ n: 10n, text: 'm', marks: { a: 1n, b: 2n } }, condition)).toBe(holds)
      })

      test('compares text by its bytes', async () => {
        const atMostText: Condition = { is: 'atMost', path: 'text', value: 'b' }
        expect(await passes({ text: 'B' }, atMostText)).toBe(true)
        expect(await passes({ text: 'c' }, atMostText)).toBe(false)
      })

      test('wants all of them, and binds anyOf closer than the rest', async () => {
        expect(await passes({ n: 1n }, equal('n', 1n), missing('x'))).toBe(true)
        expect(await passes({ n: 1n }, equal('n', 1n), missing('n'))).toBe(false)
        expect(await passes({ n: 1n }, anyOf(equal('n', 1n), missing('n')), equal('n', 2n))).toBe(false)
        expect(await passes({ n: 1n }, equal('n', 2n), anyOf(missing('n'), equal('n', 1n)))).toBe(false)
      })

      test('rejects crossed bounds, also on a missing bucket', async () => {
        const crossed = { conditions: [between('n', 2n, 1n)], actions: [set('n', 1n)] }
        await refuses({ n: 1n }, crossed)
        await expect(store().write(freshId(), crossed)).rejects.toMatchObject({ name: 'ValidationException' })
      })

      test('rejects crossed bounds within anyOf', async () => {
        await refuses(
          { n: 1n },
          { conditions: [anyOf(missing('x'), between('n', 2n, 1n))], actions: [set('n', 2n)] },
        )
      })
    })

    describe('actions', () => {
      test('adds to a number, and to a missing one as if it were 0', async () => {
        const id = await holding({ n: 10n, marks: { a: 1n } })
        const { item } = await store().write(
          id,
          always(add('n', -3n), add('fresh', 4n), add(['marks', 'a'], 2n), add(['marks', 'b'], 5n)),
        )
        expect(item).toEqual({ n: 7n, fresh: 4n, marks: { a: 3n, b: 5n } })
      })

      test('sets only what is missing', async () => {
        const id = await holding({ n: 10n, marks: { a: 1n } })
        const { item } = await store().write(
          id,
          always(
            setIfMissing('n', 1n),
            setIfMissing('fresh', 2n),
            setIfMissing(['marks', 'a'], 3n),
            setIfMissing(['marks', 'b'], { from: 'n' }),
            setIfMissing('map', { from: 7n, to: 8n }),
          ),
        )
        expect(item).toEqual({ n: 10n, fresh: 2n, marks: { a: 1n, b: 10n }, map: { from: 7n, to: 8n } })
      })

      test('copies a map that is missing from one that is there', async () => {
        const id = await holding({ marks: { a: 1n } })
        await store().write(id, always(setIfMissing('copy', { from: 'marks' })))
        const { item } = await store().write(id, always(set(['copy', 'b'], 2n)))
        expect(item).toEqual({ marks: { a: 1n }, copy: { a: 1n, b: 2n } })
      })

      test('reads every value as it was before the write', async () => {
        const id = await holding({ n: 10n, marks: {} })
        const { item } = await store().write(
          id,
          always(add('n', 5n), setIfMissing(['marks', 'a'], { from: 'n' }), setIfMissing('m', { from: 'n' })),
        )
        expect(item).toEqual({ n: 15n, m: 10n, marks: { a: 10n } })
      })

      test('removes attributes and map entries, also missing ones', async () => {
        const id = await holding({ n: 1n, m: 2n, marks: { a: 1n, b: 2n } })
        const { item } = await store().write(
          id,
          always(remove('n'), remove('x'), remove(['marks', 'a']), remove(['marks', 'z'])),
        )
        expect(item).toEqual({ m: 2n, marks: { b: 2n } })
      })

      test('replaces a whole map, also with an empty one', async () => {
        const id = await holding({ marks: { a: 1n } })
        expect((await store().write(id, always(set('marks', { b: 2n })))).item).toEqual({ marks: { b: 2n } })
        expect((await store().write(id, always(set('marks', {})))).item).toEqual({ marks: {} })
      })

      test.each<[text: string, write: ConditionalWrite]>([
        ['the same path twice', always(set('n', 1n), add('n', 1n))],
        ['the same key twice', always(set(['marks', 'a'], 1n), remove(['marks', 'a']))],
        ['a map and a key within it', always(remove(['marks', 'a']), set('marks', {}))],
        ['a key within a missing map', always(set(['x', 'a'], 1n))],
        ['a key within what is no map', always(add(['n', 'a'], 1n))],
        ['the removal of a key within a missing map', always(remove(['x', 'a']))],
        ['an addition to text', always(add('text', 1n))],
        ['a value from a missing attribute', always(setIfMissing('y', { from: 'x' }))],
      ])('refuses %s, and changes nothing', async (_, write) => {
        await refuses({ n: 10n, text: 'm', marks: { a: 1n } }, write)
      })
    })

    describe('removing', () => {
      test('leaves nothing of the bucket, and others as they are', async () => {
        const [id, other] = [await holding({ n: 1n }), await holding({ n: 2n })]
        await store().remove(id)
        expect(await store().read(id)).toBeUndefined()
        expect(await store().read(other)).toEqual({ n: 2n })
        expect(await store().write(id, always(add('n', 5n)))).toEqual({ applied: true, item: { n: 5n } })
      })

      test('removes the bucket of a policy, and ignores a missing one', async () => {
        const id = policyBucket({ scope: 'TENANT', selector: `tenant-${++made}` })
        await store().remove(id)
        await store().write(id, always(set('n', 1n)))
        await store().remove(id)
        await store().remove(id)
        expect(await store().read(id)).toBeUndefined()
      })
    })

    describe('reading', () => {
      test('knows nothing of a bucket that was never written', async () => {
        expect(await store().read(freshId())).toBeUndefined()
      })

      test('never lets a caller change what is stored', async () => {
        const marks = { a: 1n }
        const id = freshId()
        const written = await store().write(id, always(set('marks', marks)))
        marks.a = 99n
        tamperWith(written.item)
        tamperWith(await store().read(id))
        tamperWith((await store().write(id, always(set('m', 1n)))).item)
        expect(await store().read(id)).toEqual({ marks: { a: 1n }, m: 1n })
      })

      test('leaves what it gave before as it was', async () => {
        const id = await holding({ n: 1n, marks: { a: 1n } })
        const before = await store().read(id)
        await store().write(id, always(add('n', 1n), set(['marks', 'a'], 2n), set(['marks', 'b'], 3n)))
        expect(before).toEqual({ n: 1n, marks: { a: 1n } })
      })

      test('lists the buckets of one entity by their resources', async () => {
        const entityId = `lister-${++made}`
        const resources = ['_default_', 'gpt-4', 'org/model:1']
        for (const resource of resources)
          await store().write(entityBucket(entityId, resource), always(set('n', 1n)))
        await store().write(entityBucket(`${entityId}0`, 'gpt-4'), always(set('n', 2n)))
        const listed = await store().list(entityId)
        expect(listed.map(({ resource }) => resource).sort()).toEqual(resources)
        expect(listed.every(({ item }) => item.n === 1n)).toBe(true)
        expect(await store().list('nobody')).toEqual([])
      })

      test('keeps policies apart from entities and from each other', async () => {
        const policy = (scope: PolicyScope, selector: string) => policyBucket({ scope, selector })
        await store().write(policy('USER_MODEL', 'a:b#c'), always(set('n', 1n)))
        await store().write(policy('USER_MODEL', 'a#b:c'), always(set('n', 2n)))
        await store().write(policy('TENANT', 'a:b'), always(set('n', 3n)))
        expect(await store().read(policy('USER_MODEL', 'a:b#c'))).toEqual({ n: 1n })
        expect(await store().read(policy('USER_MODEL', 'a#b:c'))).toEqual({ n: 2n })
        expect(await store().read(policy('TENANT', 'a:b'))).toEqual({ n: 3n })
      })
    })
  })
}
