import { expect, test } from 'vitest'
import { nextVersion, untilUnchanged } from '../../../src/core/admin/audit.ts'
import { ZaelError } from '../../../src/core/model/errors.ts'

test.each([
  [100n, null, 100n],
  [100n, 99n, 100n],
  [100n, 100n, 101n],
  [100n, 500n, 501n],
])('at %s, the version after %s is %s', (now, before, after) => {
  expect(nextVersion(now, before)).toBe(after)
})

test('a change is repeated while others write in between', async () => {
  const outcomes = ['changed', 'changed', 'done'] as const
  let tries = 0
  expect(await untilUnchanged(async () => outcomes[tries++] ?? 'done')).toBe('done')
  expect(tries).toBe(3)
})

test('a change fails after repeated concurrent writes', async () => {
  let tries = 0
  const attempt = async (): Promise<'changed'> => {
    tries += 1
    return 'changed'
  }
  await expect(untilUnchanged(attempt)).rejects.toMatchObject({ code: 'conflict' })
  await expect(untilUnchanged(attempt)).rejects.toBeInstanceOf(ZaelError)
  expect(tries).toBe(10)
})
