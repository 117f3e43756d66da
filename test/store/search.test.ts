import { describe, expect, test } from 'vitest'
import type { Entity } from '../../src/core/model/entity.ts'
import { type EntitySource, MAX_EXAMINED, SEARCH_PAGE, searchEntities } from '../../src/store/search.ts'
import { anEntity } from './store-fixtures.ts'

/** A source of these entities, and the requested size of each page. */
const sourceOf = (named: readonly (readonly [id: string, name?: string])[]) => {
  const all: readonly Entity[] = named
    .map(([id, name = 'nothing']) => anEntity({ id, name }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const read: { readonly prefix: string; readonly count: number }[] = []
  const source: EntitySource = {
    async page({ prefix, after, limit }) {
      const left = all.filter(({ id }) => id.startsWith(prefix) && (after === undefined || id > after))
      const entities = left.slice(0, limit)
      read.push({ prefix, count: entities.length })
      return { entities, readUpTo: left.length > limit ? entities.at(-1)?.id : undefined }
    },
  }
  return { source, read }
}

/** Every page of a search. */
const pagesOf = async (source: EntitySource, q: string, limit: number) => {
  const pages: (readonly string[])[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await searchEntities(source, { q, limit, ...(cursor !== undefined && { cursor }) })
    pages.push(page.items.map(({ id }) => id))
    cursor = page.nextCursor
  }
  return pages
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => [`e${String(index).padStart(5, '0')}`] as const)

describe('a search of entities', () => {
  test('finds ids that begin with it first, then ids and names that contain it, each once', async () => {
    const { source } = sourceOf([['key-a'], ['a-key'], ['b', 'The Key'], ['c'], ['key-b', 'key'], ['KEY-c']])
    for (const limit of [1, 2, 3, 10])
      expect((await pagesOf(source, 'key', limit)).flat()).toEqual(['key-a', 'key-b', 'KEY-c', 'a-key', 'b'])
  })

  test('finds an id among ten thousand by one small read of the index', async () => {
    const { source, read } = sourceOf(many(10_000))
    expect((await searchEntities(source, { q: 'e0999', limit: 5 })).items).toHaveLength(5)
    expect(read).toEqual([{ prefix: 'e0999', count: 5 }])
  })

  test('reads a bounded number of entities in each call, and finds all of them in several', async () => {
    const { source, read } = sourceOf([...many(2000), ['z', 'needle'], ['a', 'needle']])
    const first = await searchEntities(source, { q: 'needle', limit: 50 })
    expect(first.items.map(({ id }) => id)).toEqual(['a'])
    expect(first.nextCursor).not.toBeNull()
    expect(read.reduce((sum, { count }) => sum + count, 0)).toBe(MAX_EXAMINED)
    expect(Math.max(...read.map(({ count }) => count))).toBe(SEARCH_PAGE)
    const pages = await pagesOf(source, 'needle', 50)
    expect(pages.flat()).toEqual(['a', 'z'])
    expect(pages.length).toBeLessThanOrEqual(2002 / MAX_EXAMINED + 1)
  })

  test.each([
    [['prefix', 'other-id']],
    [['prefix', 'a#b']],
    [['others', 'a#b']],
    [['nothing', 'key-a']],
    [['key-a']],
    [['prefix', '']],
  ])('refuses the cursor of %j', async (parts) => {
    const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url')
    await expect(
      searchEntities(sourceOf([['key-a']]).source, { q: 'key', limit: 5, cursor }),
    ).rejects.toMatchObject({
      field: 'cursor',
    })
  })
})
