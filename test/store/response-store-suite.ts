import { describe, expect, test } from 'vitest'
import type { ResponseStore } from '../../src/core/ports/response-store.ts'
import { TODAY } from './store-fixtures.ts'

const DAY = 86_400_000_000_000n

/** What every store of responses does. */
export const responseStoreSuite = (name: string, store: () => ResponseStore): void => {
  describe(`the responses in ${name}`, () => {
    const kept = { entityId: 'key-bob', id: 'resp_1', tokens: 77, expiresAt: TODAY + DAY }

    test('have their tokens until they expire', async () => {
      await store().keep(kept)
      expect(await store().tokensOf('key-bob', 'resp_1', TODAY + DAY - 1n)).toBe(77)
      expect(await store().tokensOf('key-bob', 'resp_1', TODAY + DAY)).toBeUndefined()
    })

    test('belong to one entity', async () => {
      await store().keep(kept)
      expect(await store().tokensOf('key-alice', 'resp_1', TODAY)).toBeUndefined()
      expect(await store().tokensOf('key-bob', 'resp_2', TODAY)).toBeUndefined()
    })
  })
}
