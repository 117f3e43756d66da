import { describe, expect, test } from 'vitest'
import type { DashboardEntity } from '../../dashboard/api/responses.ts'
import { rowsOf, type Sort, totalsOf } from '../../dashboard/overview/entity-rows.ts'
import { pageAfter, pageOf } from '../../dashboard/overview/live-page.tsx'
import { savedPlace } from '../../dashboard/overview/place.ts'
import { offsetsOf, visibleRange } from '../../dashboard/overview/virtual-list.tsx'

const entity = (id: string, parent: string | null = null, ...left: readonly number[]): DashboardEntity => ({
  entity_id: id,
  name: `Name ${id}`,
  parent_id: parent,
  limits: left.map((available, at) => ({
    name: `l${at}`,
    resource: '_default_',
    capacity: 100,
    available,
    utilization_percent: 100 - available,
  })),
})

const rowIds = (entities: readonly DashboardEntity[], sort: Sort) =>
  rowsOf(entities, sort).map((row) => `${'-'.repeat(row.depth)}${row.entity.entity_id}`)

describe('the rows of a page', () => {
  test('are a tree with children below their parents, sorted by id', () => {
    const entities = [entity('b'), entity('z', 'y'), entity('c', 'a'), entity('y', 'a'), entity('a')]
    expect(rowIds(entities, 'tree')).toEqual(['a', '-c', '-y', '--z', 'b'])
  })

  test('start at the left if the parent is on another page', () => {
    expect(rowIds([entity('b', 'elsewhere'), entity('c', 'b')], 'tree')).toEqual(['b', '-c'])
  })

  test('can be sorted by the least available of any limit, those without limits last', () => {
    const entities = [
      entity('none'),
      entity('full', null, 100),
      entity('low', null, 90, 3),
      entity('mid', null, 50),
    ]
    expect(rowIds(entities, 'least')).toEqual(['low', 'mid', 'full', 'none'])
  })

  test('keep their order when a little refills', () => {
    const order = (a: number, b: number) => rowIds([entity('a', null, a), entity('b', null, b)], 'least')
    expect(order(42, 43)).toEqual(order(43, 42))
    expect(order(42, 20)).toEqual(['b', 'a'])
  })

  test('can be sorted by name, with numbers in numeric order', () => {
    expect(rowIds([entity('10'), entity('9'), entity('a', '9')], 'name')).toEqual(['9', '10', 'a'])
  })

  test('can be sorted by id, without a tree', () => {
    expect(rowIds([entity('b', 'c'), entity('c'), entity('a', 'b')], 'id')).toEqual(['a', 'b', 'c'])
  })
})

test('a paused limit has nothing available, and does not count as nearly used up', () => {
  const paused = {
    ...entity('paused', null, 0),
    limits: [{ ...entity('p', null, 0).limits[0], capacity: 0 }],
  } as DashboardEntity
  expect(rowIds([entity('low', null, 3), paused], 'least')).toEqual(['paused', 'low'])
  expect(totalsOf([paused])).toMatchObject({ limits: 1, high: 0 })
})

test('counts the limits that are nearly used up', () => {
  expect(totalsOf([entity('a', null, 100, 15), entity('b', null, 16), entity('c', null, 0)])).toEqual({
    entities: 3,
    limits: 4,
    high: 2,
  })
})

const withoutLimits = (id: string, name = id) => ({ entity_id: id, name, parent_id: null, limits: [] })

const namesAndNext = (page: ReturnType<typeof pageOf>) => ({
  names: [...page.entities.values()].map(({ name }) => name),
  next: page.nextCursor,
})

describe('a page of entities', () => {
  const before = pageOf({ entities: [withoutLimits('a'), withoutLimits('b')], next_cursor: 'b' })

  test('is the content of the first event', () => {
    expect(namesAndNext(pageAfter(undefined, { entities: [withoutLimits('a')], next_cursor: null }))).toEqual(
      {
        names: ['a'],
        next: null,
      },
    )
  })

  test('is changed by later events', () => {
    const changes = {
      entities: [withoutLimits('b', 'B'), withoutLimits('c')],
      removed: ['a'],
      next_cursor: 'c',
    }
    expect(namesAndNext(pageAfter(before, changes))).toEqual({ names: ['B', 'c'], next: 'c' })
    expect(namesAndNext(before).names).toEqual(['a', 'b'])
  })

  test('keeps unchanged entities', () => {
    const after = pageAfter(before, { entities: [withoutLimits('b')], removed: [], next_cursor: null })
    expect(after.entities.get('a')).toBe(before.entities.get('a'))
  })

  test('is replaced by an event with all entities', () => {
    expect(
      namesAndNext(pageAfter(before, { entities: [withoutLimits('x')], next_cursor: null })).names,
    ).toEqual(['x'])
  })
})

const BEGINNING = { search: '', sort: 'tree', perPage: 50, trail: { of: '', cursors: [] } }

test('restores a place', () => {
  const place = {
    search: 'bob',
    sort: 'least',
    perPage: 250,
    trail: { of: '250 bob', cursors: ['a', 'b'] },
  }
  expect(savedPlace({ place })).toEqual(place)
})

test.each([
  null,
  undefined,
  'text',
  {},
  { place: null },
  { place: { search: 1, sort: 'x', perPage: 7, trail: { of: 1, cursors: 'a' } } },
])('starts at the first page with %j', (state) => {
  expect(savedPlace(state)).toEqual(BEGINNING)
})

describe('the visible rows', () => {
  const offsets = offsetsOf([10, 20, 10, 40, 10])

  test.each([
    [0, 5, 0, 1],
    [0, 10, 0, 2],
    [9, 30, 0, 3],
    [10, 29, 1, 2],
    [35, 79, 2, 4],
    [-500, -10, 0, 1],
    [500, 900, 4, 5],
    [-500, 900, 0, 5],
  ])('between %i and %i px are those from %i up to %i', (top, bottom, start, end) => {
    expect(visibleRange(offsets, top, bottom, 0)).toEqual({ start, end })
  })

  test('include the overscan at both ends, within the list', () => {
    expect(visibleRange(offsets, 31, 35, 1)).toEqual({ start: 1, end: 4 })
    expect(visibleRange(offsets, 31, 35, 9)).toEqual({ start: 0, end: 5 })
  })

  test('are none of an empty list', () => {
    expect(visibleRange(offsetsOf([]), 0, 900, 5)).toEqual({ start: 0, end: 0 })
  })

  test('are few of very many', () => {
    const many = offsetsOf(Array.from({ length: 100_000 }, () => 50))
    expect(visibleRange(many, 2_000_000, 2_000_900, 0)).toEqual({ start: 40_000, end: 40_019 })
  })
})
