import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../../src/core/model/json.ts'
import { createPromptCounter } from '../../src/gateway/prompt-counter.ts'
import { createWorkTurns } from '../../src/gateway/work-turns.ts'
import { aModel } from '../store/store-fixtures.ts'

/** Turns of the event loop in which the work is recorded. */
const counted = () => {
  const perTurn = [0]
  const nextTurn = async () => {
    await setImmediate()
    perTurn.push(0)
  }
  const turns = createWorkTurns({ freeWork: 1000, workPerTurn: 100, nextTurn })
  const begin = (): ReturnType<typeof turns.begin> => {
    const task = turns.begin()
    return {
      spend(work) {
        perTurn[perTurn.length - 1] = (perTurn.at(-1) ?? 0) + work
        return task.spend(work)
      },
    }
  }
  return { turns: { begin }, perTurn }
}

/** Does `work` in steps of 10. */
const run = async (task: ReturnType<ReturnType<typeof createWorkTurns>['begin']>, work: number) => {
  for (let done = 0; done < work; done += 10) {
    const turn = task.spend(10)
    if (turn !== undefined) await turn
  }
}

describe('work in turns', () => {
  test('takes no turn if there is little', async () => {
    const { turns, perTurn } = counted()
    await run(turns.begin(), 990)
    expect(perTurn).toEqual([990])
  })

  test('does a bounded part in each turn if there is much, however many tasks there are', async () => {
    const { turns, perTurn } = counted()
    await Promise.all(Array.from({ length: 24 }, () => run(turns.begin(), 5000)))
    const [first = 0, ...later] = perTurn
    expect(first).toBe(24 * 1000)
    expect(Math.max(...later)).toBe(100)
  })

  test.each([
    ['long', 'short'],
    ['short', 'long'],
  ])('ends the shorter task first if a %s one begins', async (...begun) => {
    const ended: string[] = []
    const { turns } = counted()
    const work = { long: 50_000, short: 5000 }
    await Promise.all(
      begun.map((kind) =>
        run(turns.begin(), kind === 'long' ? work.long : work.short).then(() => ended.push(kind)),
      ),
    )
    expect(ended).toEqual(['short', 'long'])
  })

  test('lets a task that begins later catch up before the others go on', async () => {
    const { turns, perTurn } = counted()
    const long = run(turns.begin(), 50_000)
    while (perTurn.length < 100) await setImmediate()
    const before = perTurn.length
    await run(turns.begin(), 5000)
    const taken = (5000 - 1000) / 100
    expect(perTurn.length - before).toBeLessThan(taken + 5)
    await long
  })
})

describe('counting a prompt', () => {
  const messages = (content: JsonValue, count = 1) =>
    Array.from({ length: count }, () => ({ role: 'user', content }))

  test.each([
    ['one word of 520,000 letters', messages('s'.repeat(520_000))],
    ['a million characters of words', messages('word '.repeat(200_000))],
    ['spaces alone', messages(' '.repeat(500_000))],
    ['2,048 short messages', messages('hello', 2048)],
    ['20,000 parts', messages(Array(20_000).fill({ type: 'text', text: 'a' }))],
  ])('never blocks for long without a turn: %s', async (_, prompt) => {
    const { turns, perTurn } = counted()
    const counter = createPromptCounter({ load: async () => (text) => text.length, turns })
    const model = aModel({ id: 'gpt-4o' })
    const estimated = await counter.estimate({ api: 'chat', model, body: { messages: prompt } })
    if ('least' in estimated) await estimated.count()
    // 640 characters are counted at once, here with a token for each
    const largestPiece = 50 + 10 * 640
    expect(Math.max(...perTurn)).toBeLessThan(1000 + largestPiece)
    expect(perTurn.length).toBeGreaterThan(40)
  })
})
