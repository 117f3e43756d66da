import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { isId } from '../../src/core/model/entity.ts'
import { randomSecrets } from '../../src/platform/random-secrets.ts'

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
