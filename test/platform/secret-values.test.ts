import { beforeEach, expect, test } from 'vitest'
import { type Clock, type Logger, silentLogger } from '../../src/core/ports/platform.ts'
import { createSecretValues } from '../../src/platform/secret-values.ts'

const MINUTE_NS = 60_000_000_000n
let nowNs = 0n
let stored: Record<string, string> = {}
let fetches = 0
let warnings: string[] = []

beforeEach(() => {
  nowNs = 0n
  stored = { admin: 'a', viewer: 'v' }
  fetches = 0
  warnings = []
})

const clock: Clock = { now: () => 0n, monotonic: () => nowNs }
const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) }

const values = () =>
  createSecretValues({
    ids: ['admin', 'viewer'],
    fetch: async (id) => {
      fetches++
      const value = stored[id]
      if (value === undefined) throw new Error('away')
      return value
    },
    maxAgeMs: 300_000,
    clock,
    logger,
  })

test('reads each secret once within its age', async () => {
  const secrets = values()
  expect(await secrets.read()).toEqual(['a', 'v'])
  nowNs = 5n * MINUTE_NS - 1n
  await secrets.read()
  expect(fetches).toBe(2)
})

test('reads again after its age, and gives the same array as long as nothing has changed', async () => {
  const secrets = values()
  const first = await secrets.read()
  nowNs = 5n * MINUTE_NS
  expect(await secrets.read()).toBe(first)
  expect(fetches).toBe(4)
  stored = { admin: 'new', viewer: 'v' }
  nowNs = 10n * MINUTE_NS
  expect(await secrets.read()).toEqual(['new', 'v'])
})

test('keeps the last known values where they cannot be read again, and says so', async () => {
  const secrets = values()
  await secrets.read()
  stored = {}
  nowNs = 5n * MINUTE_NS
  expect(await secrets.read()).toEqual(['a', 'v'])
  expect(warnings).toHaveLength(1)
})

test('throws where the values could never be read, and tries anew', async () => {
  const secrets = values()
  stored = {}
  await expect(secrets.read()).rejects.toThrow('away')
  stored = { admin: 'a', viewer: 'v' }
  expect(await secrets.read()).toEqual(['a', 'v'])
})
