import { expect, test } from 'vitest'
import { warnOfGuessable } from '../../../bin/api-keys/guessable-keys.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'

const KEYS = ['sk-test-tier-a', 'short-secret', 'sk-prod-4f8a77c1e09d'].map((secret) => ({ secret }))

const warned = (host: string, keys = KEYS) => {
  const lines: unknown[] = []
  warnOfGuessable(keys, { host }, { ...silentLogger, warn: (_, fields) => lines.push(fields) })
  return lines
}

test('warns of sample keys and short ones where other machines can reach the API', () => {
  expect(warned('0.0.0.0')).toEqual([{ keys: ['sk-test-...', 'short-se...'] }])
})

test('says nothing of others, nor where only this machine can', () => {
  expect([...warned('0.0.0.0', KEYS.slice(2)), ...warned('127.0.0.1')]).toEqual([])
})
