import { BlockList } from 'node:net'
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { addressBeyond } from '../../src/web/client.ts'
import { addressGroup } from '../../src/web/ip-address.ts'

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))

const groups = fc.array(group, { minLength: 8, maxLength: 8 })

/** `::ffff:0:0/96`, `64:ff9b::/96`, `::ffff:0:0:0/96`, and `::/96` but for its first 65,536 addresses. */
const isIpv4 = (all: readonly number[]) => {
  const prefix = all
    .slice(0, 6)
    .map((each) => each.toString(16))
    .join(':')
  if (prefix === '0:0:0:0:0:0') return all[6] !== 0
  return ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0', '0:0:0:0:ffff:0'].includes(prefix)
}

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
  fc.pre(!isIpv4(all))
  const plain = all.map((each) => each.toString(16))
  const padded = plain.map((part) => part.padStart(4, '0').toUpperCase())
  const forms = [plain.join(':'), padded.join(':'), compressed(plain), compressed(padded), withDottedEnd(all)]
  const network = plain.slice(0, 4).join(':')
  expect([...new Set(forms.map(addressGroup))]).toEqual([network])
  expect(addressGroup(`[${compressed(plain)}]:443`)).toBe(network)
})

test.prop([fc.ipV4()])('an IPv4 address is itself, however it is written', (ip) => {
  fc.pre(!ip.startsWith('0.0.'))
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number)
  const hex = [a * 256 + b, c * 256 + d].map((part) => part.toString(16)).join(':')
  const forms = [
    ip,
    `${ip}:80`,
    `::ffff:${ip}`,
    `::FFFF:${hex}`,
    `0:0:0:0:0:ffff:${hex}`,
    `[::ffff:${ip}]:443`,
    `::ffff:${hex}%eth0`,
    `64:ff9b::${ip}`,
    `64:FF9B::${hex}`,
    `::ffff:0:${ip}`,
    `::${ip}`,
    `::${hex}`,
  ]
  expect([...new Set(forms.map(addressGroup))]).toEqual([ip])
  for (const network of [ip, `${ip}/32`, `::ffff:${hex}/128`, `64:ff9b::${ip}`]) {
    const believed = addressBeyond([network])
    for (const connection of forms) {
      expect(believed({ connection, forwardedFor: '2001:db8::7' })).toBe('2001:db8::7')
    }
  }
})

const network = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))

test.prop([network, fc.ipV4()])(
  'a network holds the same addresses as for BlockList, however it is written',
  ([ip, bits], other) => {
    const oracle = new BlockList()
    oracle.addSubnet(ip, bits, 'ipv4')
    const isHeld = oracle.check(other, 'ipv4')
    for (const proxy of [`${ip}/${bits}`, `::ffff:${ip}/${bits + 96}`, `64:ff9b::${ip}/${bits + 96}`]) {
      const believed = addressBeyond([proxy])({ connection: other, forwardedFor: '2001:db8::7' })
      expect([proxy, believed]).toEqual([proxy, isHeld ? '2001:db8::7' : other])
    }
  },
)

test.prop([fc.ipV6(), fc.integer({ min: 0, max: 95 }), fc.ipV6()])(
  'a network of IPv6 holds the same addresses as for BlockList',
  (ip, bits, other) => {
    fc.pre(addressGroup(ip).includes(':') && addressGroup(other).includes(':'))
    const oracle = new BlockList()
    oracle.addSubnet(ip, bits, 'ipv6')
    const believed = addressBeyond([`${ip}/${bits}`])({ connection: other, forwardedFor: '192.0.2.1' })
    expect(believed).toBe(oracle.check(other, 'ipv6') ? '192.0.2.1' : other)
  },
)
