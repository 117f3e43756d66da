import { describe, expect, test } from 'vitest'
import { pageAfter, pageOf } from '../../../dashboard/overview/live-page.tsx'

const entity = (id: string, name = id) => ({ entity_id: id, name, parent_id: null, limits: [] })
const shown = (page: ReturnType<typeof pageOf>) => ({
  names: [...page.entities.values()].map(({ name }) => name),
  next: page.nextCursor,
})

describe('a page of entities', () => {
  const before = pageOf({ entities: [entity('a'), entity('b')], next_cursor: 'b' })

  test('is what the first event holds', () => {
    expect(shown(pageAfter(undefined, { entities: [entity('a')], next_cursor: null }))).toEqual({
      names: ['a'],
      next: null,
    })
  })

  test('is changed by those that follow', () => {
    const changes = { entities: [entity('b', 'B'), entity('c')], removed: ['a'], next_cursor: 'c' }
    expect(shown(pageAfter(before, changes))).toEqual({ names: ['B', 'c'], next: 'c' })
    expect(shown(before).names).toEqual(['a', 'b'])
  })

  test('keeps what did not change as it is', () => {
    const after = pageAfter(before, { entities: [entity('b')], removed: [], next_cursor: null })
    expect(after.entities.get('a')).toBe(before.entities.get('a'))
  })

  test('is a new one where all comes again', () => {
    expect(shown(pageAfter(before, { entities: [entity('x')], next_cursor: null })).names).toEqual(['x'])
  })
})
