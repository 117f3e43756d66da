import { expect, test } from 'vitest'
import { keptPlace } from '../../../dashboard/overview/place.ts'

const BEGINNING = { search: '', sort: 'tree', perPage: 50, trail: { of: '', cursors: [] } }

test('finds a place again', () => {
  const place = {
    search: 'bob',
    sort: 'least',
    perPage: 250,
    trail: { of: '250 bob', cursors: ['a', 'b'] },
  }
  expect(keptPlace({ place })).toEqual(place)
})

test.each([
  null,
  undefined,
  'text',
  {},
  { place: null },
  { place: { search: 1, sort: 'x', perPage: 7, trail: { of: 1, cursors: 'a' } } },
])('begins at the beginning with %j', (state) => {
  expect(keptPlace(state)).toEqual(BEGINNING)
})
