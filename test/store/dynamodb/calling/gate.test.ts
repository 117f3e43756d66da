import { describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../../../src/core/model/errors.ts'
import { createGate } from '../../../../src/store/dynamodb/call-limits.ts'
import { createManualDeadlines } from './manual-time.ts'

const gateOf = (width: number) => {
  const deadlines = createManualDeadlines()
  return { deadlines, gate: createGate({ width, maxWaitMs: 2000, deadlines }) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a gate', () => {
  it('lets as many through as it is wide, and the others in the order they came', async () => {
    const { gate } = gateOf(2)
    const through: number[] = []
    const leaves = new Map<number, () => void>()
    const enter = async (call: number): Promise<void> => {
      leaves.set(call, await gate.enter())
      through.push(call)
    }
    const calls = [1, 2, 3, 4].map(enter)
    await settled()
    expect(through).toEqual([1, 2])
    leaves.get(2)?.()
    await settled()
    expect(through).toEqual([1, 2, 3])
    leaves.get(1)?.()
    await Promise.all(calls)
    expect(through).toEqual([1, 2, 3, 4])
  })

  it('gives a place back once, however often it is told', async () => {
    const { gate } = gateOf(1)
    const leave = await gate.enter()
    const second = gate.enter()
    leave()
    leave()
    await second
    let third = false
    void gate.enter().then(() => {
      third = true
    })
    await settled()
    expect(third).toBe(false)
  })

  it('has all its places again after a crowd', async () => {
    const { gate } = gateOf(3)
    const work = async (): Promise<void> => {
      const leave = await gate.enter()
      await settled()
      leave()
    }
    await Promise.all(Array.from({ length: 20 }, work))
    await Promise.all([gate.enter(), gate.enter(), gate.enter()])
  })

  it('refuses who waits too long, as surely not applied, and lets those behind through', async () => {
    const { gate, deadlines } = gateOf(1)
    const leave = await gate.enter()
    const impatient = gate.enter()
    const refused = expect(impatient).rejects.toSatisfy(
      (error) => error instanceof StoreUnavailable && !error.mayHaveApplied,
    )
    deadlines.pass(1000)
    const patient = gate.enter()
    deadlines.pass(1100)
    await refused
    leave()
    await patient
  })
})
