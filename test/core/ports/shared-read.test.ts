import { describe, expect, test } from 'vitest'
import { sharedRead } from '../../../src/core/ports/shared-read.ts'
import { createTestClock, SECOND } from '../test-clock.ts'

describe('a shared read', () => {
  const reader = () => {
    const pending: { readonly resolve: (value: number) => void; readonly reject: (error: Error) => void }[] =
      []
    const read = () => new Promise<number>((resolve, reject) => pending.push({ resolve, reject }))
    return { pending, read }
  }

  test('is shared while it is in flight, however long that takes, and until its age', async () => {
    const clock = createTestClock()
    const { pending, read } = reader()
    const shared = sharedRead(read, { clock, ms: 1000 })
    const first = shared()
    clock.advance(5n * SECOND)
    expect(shared()).toBe(first)
    pending[0]?.resolve(1)
    expect(await first).toBe(1)
    const second = shared()
    clock.advance(SECOND - 1n)
    pending[1]?.resolve(2)
    expect(await second).toBe(2)
    expect(shared()).toBe(second)
    clock.advance(1n)
    expect(shared()).not.toBe(second)
    expect(pending.length).toBe(3)
  })

  test('is shared only while it is in progress with an age of 0', async () => {
    const { pending, read } = reader()
    const shared = sharedRead(read, 0)
    const first = shared()
    expect(shared()).toBe(first)
    pending[0]?.resolve(1)
    expect(await first).toBe(1)
    const second = shared()
    pending[1]?.reject(new Error('lost'))
    await expect(second).rejects.toThrow('lost')
    expect(shared()).not.toBe(second)
    expect(pending.length).toBe(3)
  })

  test('is shared forever without an age, and read again after a failure', async () => {
    const { pending, read } = reader()
    const shared = sharedRead(read)
    const failing = shared()
    pending[0]?.reject(new Error('lost'))
    await expect(failing).rejects.toThrow('lost')
    const second = shared()
    pending[1]?.resolve(2)
    expect(await second).toBe(2)
    expect(shared()).toBe(second)
    expect(pending.length).toBe(2)
  })
})
