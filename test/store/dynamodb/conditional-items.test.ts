import { describe, expect, test } from 'vitest'
import {
  add,
  anyOf,
  atLeast,
  atMost,
  below,
  between,
  equal,
  missing,
  remove,
  set,
  setIfMissing,
} from '../../../src/core/bucket/write.ts'
import { updateExpression } from '../../../src/store/dynamodb/conditional-items.ts'

describe('a conditional write in the words of DynamoDB', () => {
  test('names every condition and action, each name and value once', () => {
    const written = updateExpression({
      conditions: [
        between('rpm_tat', 5n, 9n),
        anyOf(missing('tpm_tat'), below('tpm_tat', 5n)),
        equal('rpm_limit', 'x'),
        atMost(['marks', 'a'], 9n),
        atLeast('rev', 0n),
      ],
      actions: [
        set('rpm_tat', 5n),
        add('rev', 1n),
        setIfMissing('born', 5n),
        setIfMissing(['marks', 'b'], { from: 'rev' }),
        remove(['marks', 'a']),
        remove('old'),
      ],
    })
    expect(written).toEqual({
      ConditionExpression:
        '#0 BETWEEN :0 AND :1 AND (attribute_not_exists(#1) OR #1 < :0) AND #2 = :2 AND #3.#4 <= :1 AND #5 >= :3',
      UpdateExpression:
        'SET #0 = :0, #5 = if_not_exists(#5, :3) + :4, #6 = if_not_exists(#6, :0), #3.#7 = if_not_exists(#3.#7, #5) REMOVE #3.#4, #8',
      ExpressionAttributeNames: {
        '#0': 'rpm_tat',
        '#1': 'tpm_tat',
        '#2': 'rpm_limit',
        '#3': 'marks',
        '#4': 'a',
        '#5': 'rev',
        '#6': 'born',
        '#7': 'b',
        '#8': 'old',
      },
      ExpressionAttributeValues: {
        ':0': { N: '5' },
        ':1': { N: '9' },
        ':2': { S: 'x' },
        ':3': { N: '0' },
        ':4': { N: '1' },
      },
    })
  })

  test('distinguishes a number from its text, and keeps maps apart', () => {
    const { ExpressionAttributeValues } = updateExpression({
      conditions: [],
      actions: [set('a', 5n), set('b', '5'), set('c', { x: 1n }), set('d', { x: 2n })],
    })
    expect(ExpressionAttributeValues).toEqual({
      ':0': { N: '5' },
      ':1': { S: '5' },
      ':2': { M: { x: { N: '1' } } },
      ':3': { M: { x: { N: '2' } } },
    })
  })

  test('adds by ADD, except for map entries and sums that another action reads', () => {
    const { UpdateExpression } = updateExpression({
      conditions: [],
      actions: [add('n', 1n), add(['m', 'k'], 1n), add('seen', 1n), setIfMissing('copy', { from: 'seen' })],
    })
    expect(UpdateExpression).toBe(
      'SET #1.#2 = if_not_exists(#1.#2, :1) + :0, #3 = if_not_exists(#3, :1) + :0, #4 = if_not_exists(#4, #3) ADD #0 :0',
    )
  })

  test('leaves out what it has not', () => {
    expect(updateExpression({ conditions: [], actions: [] })).toEqual({})
    expect(updateExpression({ conditions: [], actions: [remove('a')] })).toEqual({
      UpdateExpression: 'REMOVE #0',
      ExpressionAttributeNames: { '#0': 'a' },
    })
  })

  test('stays well below 4 KB with eight limits and sixty slots', () => {
    const limits = Array.from({ length: 8 }, (_, index) => `a_limit_with_a_name_of_the_longest${index}`)
    const slots = Array.from({ length: 60 }, (_, index) => `slot${index}`)
    const { ConditionExpression = '', UpdateExpression = '' } = updateExpression({
      conditions: limits.flatMap((name) => [between(`${name}_tat`, 1n, 2n), equal(`${name}_limit`, name)]),
      actions: [
        ...limits.flatMap((name) => [
          set(`${name}_tat`, 1n),
          set(`${name}_version`, 2n),
          add(`denied_${name}`, 1n),
        ]),
        ...slots.map((slot) => remove(['marks', slot])),
      ],
    })
    expect(Buffer.byteLength(ConditionExpression)).toBeLessThan(4096)
    expect(Buffer.byteLength(UpdateExpression)).toBeLessThan(4096)
  })
})
