import { expect, test } from 'vitest'
import { createKeysUnderWay } from '../../../src/library/limiter/limits-in-code.ts'

test('a key is known until the last decision about it has ended, also one that fails', async () => {
  const keys = createKeysUnderWay()
  const ends: ((error?: Error) => void)[] = []
  const decide = () =>
    new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())))
  const first = keys.during('app:a', 'a', decide)
  const second = keys.during('app:a', 'a', decide)
  ends[0]?.()
  await first
  expect(keys.keyOf('app:a')).toBe('a')
  ends[1]?.(new Error('failed'))
  await expect(second).rejects.toThrow('failed')
  expect(keys.keyOf('app:a')).toBeUndefined()
})
