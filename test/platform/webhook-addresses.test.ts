import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import type { WebhookAddresses } from '../../src/core/model/alert.ts'
import { DeliveryFailed } from '../../src/core/ports/alert-store.ts'
import { checkedLookup, kindOfAddress, urlFault } from '../../src/platform/webhook-addresses.ts'

test.each([
  [
    'public',
    ['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '2606:4700::1111', '2a00:1450:4001::200e'],
  ],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:ffff:7f00:1']],
  [
    'private',
    ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd12:3456::1', 'fc00::1'],
  ],
  ['private', ['::ffff:10.0.0.1', '64:ff9b::a00:1', '64:ff9b::192.168.0.1']],
  // link-local and the metadata services of clouds
  ['none', ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254']],
  ['none', ['64:ff9b::a9fe:a9fe', 'fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16']],
  // reserved
  [
    'none',
    ['0.0.0.0', '::', '192.0.2.1', '198.18.0.1', '203.0.113.9', '224.0.0.1', '255.255.255.255', 'ff02::1'],
  ],
  [
    'none',
    ['2001::1', '2001:db8::1', '2002:a00:1::', '3fff::1', '::10.0.0.1', '64:ff9b:1::1', 'fec0::1', ''],
  ],
])('%s: %j', (kind, addresses) => {
  expect(addresses.map((address) => [address, kindOfAddress(address)])).toEqual(
    addresses.map((address) => [address, kind]),
  )
})

describe('a URL', () => {
  test.each<[url: string, allowed: WebhookAddresses]>([
    ['https://hooks.example.com/a', 'public'],
    ['https://8.8.8.8/', 'public'],
    ['https://[2606:4700::1111]:8443/', 'public'],
    ['http://localhost:9000/', 'loopback'],
    ['http://127.0.0.1:9000/', 'loopback'],
    ['http://[::1]/', 'private'],
    ['http://hooks.localhost.:9000/', 'loopback'],
    ['https://localhost.example.com/', 'public'],
    ['https://10.1.2.3/', 'private'],
  ])('%s is accepted if %s addresses are allowed', (url, allowed) => {
    expect(urlFault(new URL(url), allowed)).toBeUndefined()
  })

  test.each<[url: string, allowed: WebhookAddresses, text: RegExp]>([
    ['http://hooks.example.com/', 'public', /https/],
    ['http://hooks.example.com/', 'private', /https/],
    ['http://10.1.2.3/', 'private', /https/],
    ['http://localhost/', 'public', /https/],
    ['https://127.0.0.1/', 'public', /loopback address/],
    ['https://localhost/', 'public', /loopback address/],
    ['https://hooks.LOCALHOST.:8443/', 'public', /loopback address/],
    // other notations of 127.0.0.1, which URLs normalize
    ['https://2130706433/', 'public', /loopback/],
    ['https://0x7f.1/', 'public', /loopback/],
    ['https://0177.0.0.1/', 'public', /loopback/],
    ['https://[::ffff:7f00:1]/', 'public', /loopback/],
    ['https://10.1.2.3/', 'loopback', /private address/],
    ['https://169.254.169.254/latest/meta-data', 'private', /link-local/],
    ['https://[fd00:ec2::254]/', 'private', /link-local/],
  ])('%s is rejected if %s addresses are allowed', (url, allowed, text) => {
    expect(urlFault(new URL(url), allowed)).toMatch(text)
  })
})

describe('a lookup', () => {
  const lookUp = (
    addresses: readonly string[],
    allowed: WebhookAddresses,
    { all = true, isLoopbackOnly = false } = {},
  ) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      const lookup = checkedLookup({
        allowed,
        isLoopbackOnly,
        resolve: (_, done) =>
          done(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          ),
      })
      lookup('hooks.example.com', { all }, (error, found) =>
        error === null ? resolve(found) : reject(error),
      )
    })

  test('returns the addresses that it has checked', async () => {
    const found = [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]
    expect(await lookUp(['8.8.8.8', '2606:4700::1111'], 'public')).toEqual(found)
    expect(await lookUp(['8.8.8.8', '2606:4700::1111'], 'public', { all: false })).toBe('8.8.8.8')
  })

  test.each<[readonly string[], WebhookAddresses, boolean]>([
    [['10.0.0.1'], 'public', false],
    [['8.8.8.8', '10.0.0.1'], 'public', false],
    [['127.0.0.1'], 'public', false],
    [['169.254.169.254'], 'private', false],
    [['10.0.0.1'], 'loopback', false],
    [['8.8.8.8'], 'private', true],
    [[], 'private', false],
  ])('of %j fails if %s addresses are allowed', async (addresses, allowed, isLoopbackOnly) => {
    await expect(lookUp(addresses, allowed, { isLoopbackOnly })).rejects.toBeInstanceOf(DeliveryFailed)
  })

  test('fails with the error of the resolver', async () => {
    const lookup = checkedLookup({
      allowed: 'public',
      isLoopbackOnly: false,
      resolve: (_, done) => done(new Error('ENOTFOUND'), []),
    })
    const failed = new Promise((resolve) => lookup('a.example', { all: true }, resolve))
    expect(await failed).toEqual(new Error('ENOTFOUND'))
  })
})
