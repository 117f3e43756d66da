import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { addressGroup } from '../../../src/http/client/ip-address.ts'

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const isMapped = (all: readonly number[]) => all.slice(0, 5).every((each) => each === 0) && all[5] === 0xffff

/** One run of zeros, wherever it is, written as `::`. */
const compressed = (parts: readonly string[]): string => {
  const from = parts.findIndex((part) => Number.parseInt(part, 16) === 0)
  if (from < 0) return parts.join(':')
  const length = parts.slice(from).findIndex((part) => Number.parseInt(part, 16) !== 0)
  const to = length < 0 ? parts.length : from + length
  return `${parts.slice(0, from).join(':')}::${parts.slice(to).join(':')}`
}

const withDottedEnd = (all: readonly number[]): string => {
  const [high = 0, low = 0] = all.slice(6)
  const head = all.slice(0, 6).map((each) => each.toString(16))
  return `${head.join(':')}:${[high >> 8, high & 255, low >> 8, low & 255].join('.')}`
}

test.prop([groups])('an address is one network, however it is written', (all) => {
  fc.pre(!isMapped(all))
  const plain = all.map((each) => each.toString(16))
  const padded = plain.map((part) => part.padStart(4, '0').toUpperCase())
  const forms = [plain.join(':'), padded.join(':'), compressed(plain), compressed(padded), withDottedEnd(all)]
  const network = plain.slice(0, 4).join(':')
  expect([...new Set(forms.map(addressGroup))]).toEqual([network])
  expect(addressGroup(`[${compressed(plain)}]:443`)).toBe(network)
})

test.prop([fc.ipV4()])('an IPv4 address is itself, however it is written', (ip) => {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
  const hex = [a * 256 + b, c * 256 + d].map((part) => part.toString(16)).join(':')
  const forms = [ip, `${ip}:80`, `::ffff:${ip}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`]
  expect([...new Set(forms.map(addressGroup))]).toEqual([ip])
})
