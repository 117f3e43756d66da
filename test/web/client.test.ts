import { describe, expect, test } from 'vitest'
import { addressBehind, addressBeyond, connectionAddress } from '../../src/web/client.ts'
import { addressGroup, bareAddress } from '../../src/web/ip-address.ts'

describe('behind a number of proxies', () => {
  test('an invented entry on the left changes nothing', () => {
    const seen = addressBehind(1)({ connection: '10.0.0.1', forwardedFor: '1.1.1.1, 203.0.113.9' })
    expect(seen).toBe('203.0.113.9')
  })

  test('the header is ignored if no proxy is trusted', () => {
    expect(addressBehind(0)({ connection: '203.0.113.9', forwardedFor: '1.1.1.1' })).toBe('203.0.113.9')
  })
})

describe('a client behind proxies with known addresses', () => {
  const beyond = addressBeyond(['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.7'])

  test.each([
    ['a client that connects by itself, whatever it claims', '203.0.113.9', '1.1.1.1', '203.0.113.9'],
    ['what the proxy saw', '10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['what the outermost of several proxies saw', '10.1.2.3', '203.0.113.9, 192.0.2.7', '203.0.113.9'],
    ['no invented entry on the left', '10.1.2.3', '10.9.9.9, 1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['a proxy that connects by IPv6', '2001:db8:ffff::5', '203.0.113.9', '203.0.113.9'],
    ['a proxy whose IPv4 address is written as IPv6', '::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['an entry with a port', '10.1.2.3', '203.0.113.9:5000', '203.0.113.9:5000'],
    ['the proxy itself if the header is missing', '10.1.2.3', undefined, '10.1.2.3'],
    ['the proxy itself if the header is invalid', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['a neighbour of the trusted network as no proxy', '2001:db8:fffe::5', '1.1.1.1', '2001:db8:fffe::5'],
  ])('is %s', (_, connection, forwardedFor, expected) => {
    expect(beyond({ connection, forwardedFor })).toBe(expected)
  })

  test.each([
    ['::ffff:10.0.0.0/104', '10.1.2.3'],
    ['::ffff:a00:0/104', '::ffff:10.1.2.3'],
    ['::FFFF:A00:0/104', '64:ff9b::10.1.2.3'],
    ['64:ff9b::10.0.0.0/104', '10.1.2.3'],
    ['10.0.0.0/8', '64:ff9b::a01:203'],
    ['10.0.0.0/8', '::10.1.2.3'],
    ['0.0.0.0/0', '::ffff:10.1.2.3'],
    ['::/0', '2001:db8::5'],
  ])('trusts %s to contain %s', (network, connection) => {
    expect(addressBeyond([network])({ connection, forwardedFor: '203.0.113.9' })).toBe('203.0.113.9')
  })

  test.each([
    ['::ffff:10.0.0.0/104', '11.1.2.3'],
    ['10.0.0.0/8', '2001:db8::10.1.2.3'],
    ['::/0', '10.1.2.3'],
    ['0.0.0.0/0', '2001:db8::5'],
  ])('does not trust %s to contain %s', (network, connection) => {
    expect(addressBeyond([network])({ connection, forwardedFor: '203.0.113.9' })).toBe(connection)
  })

  test('the error contains the shortest prefix of IPv4 written as IPv6', () => {
    expect(() => addressBeyond(['::ffff:10.0.0.0/8'])).toThrow(/whose prefix is 96 or longer/)
  })

  test.each([
    '::ffff:10.0.0.0/129',
    'proxy.internal',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '2001:db8::/129',
    '',
    '10.0.0.1:80',
  ])('%j is rejected as a proxy', (proxy) => {
    expect(() => addressBeyond([proxy])).toThrow(RangeError)
  })
})

const request = new Request('http://localhost/')

const bun = { requestIP: (sent: Request) => (sent === request ? { address: '192.0.2.5' } : null) }

test.each([
  ['a Node server', { incoming: { socket: { remoteAddress: '192.0.2.5' } } }],
  ['Deno', { remoteAddr: { transport: 'tcp', hostname: '192.0.2.5', port: 443 } }],
  ['Bun', bun],
  ['Bun, with a server beside other bindings', { server: bun }],
])('the address is found on %s', (_, env) => {
  expect(connectionAddress(env, request)).toBe('192.0.2.5')
})

test.each([undefined, null, {}, 'env', { server: {} }, { requestIP: () => null }])(
  'is unknown if the platform passes %j',
  (env) => {
    expect(connectionAddress(env, request)).toBe('unknown')
  },
)

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
