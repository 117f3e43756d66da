import { describe, expect, test } from 'vitest'
import type { DashboardEntity } from '../../../dashboard/api/responses.ts'
import { rowsOf, type Sort, totalsOf } from '../../../dashboard/overview/entity-rows.ts'

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

const shown = (entities: readonly DashboardEntity[], sort: Sort) =>
  rowsOf(entities, sort).map((row) => `${'-'.repeat(row.depth)}${row.entity.entity_id}`)

describe('the rows of a page', () => {
  test('are a tree, children below their parents, all by id', () => {
    const entities = [entity('b'), entity('z', 'y'), entity('c', 'a'), entity('y', 'a'), entity('a')]
    expect(shown(entities, 'tree')).toEqual(['a', '-c', '-y', '--z', 'b'])
  })

  test('begin at the left where the parent is on another page', () => {
    expect(shown([entity('b', 'elsewhere'), entity('c', 'b')], 'tree')).toEqual(['b', '-c'])
  })

  test('begin with those that have the least left of any limit, those without limits last', () => {
    const entities = [
      entity('none'),
      entity('full', null, 100),
      entity('low', null, 90, 3),
      entity('mid', null, 50),
    ]
    expect(shown(entities, 'least')).toEqual(['low', 'mid', 'full', 'none'])
  })

  test('keep their places where a little refills', () => {
    const order = (a: number, b: number) => shown([entity('a', null, a), entity('b', null, b)], 'least')
    expect(order(42, 43)).toEqual(order(43, 42))
    expect(order(42, 20)).toEqual(['b', 'a'])
  })

  test('can go by name, as people count', () => {
    expect(shown([entity('10'), entity('9'), entity('a', '9')], 'name')).toEqual(['9', '10', 'a'])
  })

  test('can go by id, without a tree', () => {
    expect(shown([entity('b', 'c'), entity('c'), entity('a', 'b')], 'id')).toEqual(['a', 'b', 'c'])
  })
})

test('a paused limit has nothing left, and is not among those that are nearly used up', () => {
  const paused = {
    ...entity('paused', null, 0),
    limits: [{ ...entity('p', null, 0).limits[0], capacity: 0 }],
  } as DashboardEntity
  expect(shown([entity('low', null, 3), paused], 'least')).toEqual(['paused', 'low'])
  expect(totalsOf([paused])).toMatchObject({ limits: 1, high: 0 })
})

test('counts the limits that are nearly used up', () => {
  expect(totalsOf([entity('a', null, 100, 15), entity('b', null, 16), entity('c', null, 0)])).toEqual({
    entities: 3,
    limits: 4,
    high: 2,
  })
})
