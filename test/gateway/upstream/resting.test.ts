import { describe, expect, test } from 'vitest'
import { createResting, type Target } from '../../../src/gateway/upstream/resting.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

const A: Target = { upstream: 'a', model: 'gpt-4' }

const B: Target = { upstream: 'b', model: 'gpt-4' }

const setUp = () => {
  const clock = createTestClock()
  const resting = createResting(clock)
  return {
    clock,
    resting,
    names: () => resting.available([A, B]).map(({ upstream }) => upstream),
    /** Failures one after the other: of connections (null), or of the requests of entities. */
    fail(target: Target, ...entities: readonly (string | null)[]) {
      for (const entityId of entities) {
        resting.failed(target, { cause: entityId === null ? 'connect' : 'status 500', entityId })
      }
    },
  }
}

describe('a target rests', () => {
  test('for 30 s after three failed connections within 10 s', () => {
    const { clock, names, fail } = setUp()
    fail(A, null, null)
    clock.advance(10n * SECOND - 1n)
    expect(names()).toEqual(['a', 'b'])
    fail(A, null)
    expect(names()).toEqual(['b'])
    clock.advance(30n * SECOND - 1n)
    expect(names()).toEqual(['b'])
    clock.advance(1n)
    expect(names()).toEqual(['a', 'b'])
  })

  test('not after three failures in more than 10 s', () => {
    const { clock, names, fail } = setUp()
    for (let i = 0; i < 10; i++) {
      fail(A, null)
      clock.advance(5n * SECOND)
    }
    expect(names()).toEqual(['a', 'b'])
  })

  test.each([
    [['one', 'one', 'one', 'one'], false],
    [['one', 'two'], false],
    [['one', 'one', 'two'], true],
    [['one', 'two', 'three'], true],
    [[null, 'one', 'one', 'one', 'one'], false],
    [[null, null, 'one'], false],
    [[null, 'one', 'two'], true],
    [[null, null, 'one', 'one', null], true],
  ] as const)('after failures of %j: %s', (entities, rests) => {
    const { names, fail } = setUp()
    fail(A, ...entities)
    expect(names()).toEqual(rests ? ['b'] : ['a', 'b'])
  })

  test('alone: the same upstream serves other models', () => {
    const { resting, fail } = setUp()
    fail(A, null, null, null)
    const other = { upstream: 'a', model: 'gpt-4o' }
    expect(resting.available([A, other])).toEqual([other])
  })

  test('anew after three more failures, while it is the only one that is tried', () => {
    const { clock, names, fail } = setUp()
    fail(A, null, null, null)
    clock.advance(SECOND)
    fail(B, null, null, null)
    expect(names()).toEqual(['a'])
    clock.advance(SECOND)
    fail(A, null, null)
    expect(names()).toEqual(['a'])
    fail(A, null)
    expect(names()).toEqual(['b'])
  })
})

test('if all rest, the one that has rested longest is tried', () => {
  const { clock, names, fail } = setUp()
  fail(B, null, null, null)
  clock.advance(SECOND)
  fail(A, null, null, null)
  expect(names()).toEqual(['b'])
})

test('the only target is tried, whether it rests or not', () => {
  const { resting, fail } = setUp()
  fail(A, null, null, null)
  expect(resting.available([A])).toEqual([A])
})

test('a caller with many failures does not displace those of others', () => {
  const { clock, names, fail } = setUp()
  fail(A, 'two')
  fail(A, ...Array.from({ length: 50 }, () => 'hostile'))
  // both are counted: this is the upstream's failure
  expect(names()).toEqual(['b'])
  clock.advance(41n * SECOND)
  fail(A, ...Array.from({ length: 50 }, () => 'hostile'))
  expect(names()).toEqual(['a', 'b'])
})

describe('the states', () => {
  test('contain the end of a rest, and the last failure', () => {
    const { clock, resting, fail } = setUp()
    expect(resting.states()).toEqual([])
    fail(A, null, null, null)
    fail(B, 'one')
    clock.advance(12n * SECOND)
    const at = clock.now() - 12n * SECOND
    expect(resting.states()).toEqual([
      { ...A, restsUntil: at + 30n * SECOND, lastFailure: { cause: 'connect', at } },
      { ...B, restsUntil: null, lastFailure: { cause: 'status 500', at } },
    ])
    clock.advance(18n * SECOND)
    expect(resting.states()[0]?.restsUntil).toBeNull()
  })

  test('are of a bounded number of targets: the one without failures for longest is dropped', () => {
    const { resting, fail } = setUp()
    for (let i = 0; i < 1_001; i++) fail({ upstream: 'a', model: `m${i}` }, 'one')
    fail({ upstream: 'a', model: 'm1' }, 'one')
    fail(B, 'one')
    const models = resting.states().map(({ model }) => model)
    expect(models).toHaveLength(1_000)
    expect(models).not.toContain('m0')
    expect(models).not.toContain('m2')
    expect(models).toContain('m1')
  })
})
