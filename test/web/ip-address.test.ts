import { describe, expect, test } from 'vitest'
import { addressGroup, bareAddress } from '../../src/web/ip-address.ts'

describe('addressGroup', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:FF9B::C000:201', '192.0.2.1'],
    ['[64:ff9b::192.0.2.1]:443', '192.0.2.1'],
    ['::ffff:0:192.0.2.1', '192.0.2.1'],
    ['::192.0.2.1', '192.0.2.1'],
    ['::', '0:0:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['64:ff9b:1:2::192.0.2.1', '64:ff9b:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['nonsense', 'nonsense'],
  ])('counts %s as %s', (ip, group) => {
    expect(addressGroup(ip)).toBe(group)
  })
})

test.each(['', 'nonsense', '256.1.1.1', '1.2.3.4.5', '[192.0.2.1', '192.0.2.1:port', '2001:db8::g'])(
  'takes %j for no address',
  (text) => {
    expect(bareAddress(text)).toBeUndefined()
  },
)
