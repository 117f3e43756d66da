import { crc32 } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { isId } from '../../src/core/model/entity.ts'
import { type Clock, type Logger, silentLogger } from '../../src/core/ports/platform.ts'
import { createSecretValues, randomSecrets } from '../../src/platform/secrets.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('makes secrets of a prefix, 43 digits and a checksum of what stands before it', () => {
  const secret = randomSecrets.create()
  expect(secret).toMatch(/^zk_[0-9A-Za-z]{49}$/)
  const sum = [...secret.slice(-6)].reduce((value, digit) => value * 62 + DIGITS.indexOf(digit), 0)
  expect(sum).toBe(crc32(secret.slice(0, -6)))
})

test('makes no secret and no id twice', () => {
  const made = Array.from({ length: 100 }, () => [randomSecrets.create(), randomSecrets.id()]).flat()
  expect(new Set(made).size).toBe(200)
})

test('makes ids that the rule for ids allows', () => {
  expect(isId(randomSecrets.id())).toBe(true)
})

test('hashes with SHA-256 in lower-case hexadecimal', () => {
  expect(randomSecrets.hash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

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
