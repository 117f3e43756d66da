import { describe, expect, test } from 'vitest'
import {
  byApiKey,
  byClientIp,
  type ClientIpOptions,
  firstOf,
  type RequestFacts,
} from '../../../src/library/index.ts'

const request = (connection: string, headers: Readonly<Record<string, string>> = {}): RequestFacts => ({
  method: 'GET',
  path: '/',
  connection,
  native: undefined,
  header: (name) => headers[name],
})

const ip = (options: ClientIpOptions | undefined, connection: string, forwardedFor?: string) =>
  byClientIp(options)(
    request(connection, forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
  )

describe('byClientIp', () => {
  test('believes no header unless proxies are configured', () => {
    expect(ip(undefined, '203.0.113.7', '1.1.1.1')).toBe('203.0.113.7')
  })

  test.each([
    [{ trustedProxies: 1 }, '10.0.0.1', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    [{ trustedProxies: 2 }, '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: ['10.0.0.0/8'] }, '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: ['10.0.0.0/8'] }, '203.0.113.7', '1.1.1.1, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: [] }, '203.0.113.7', '1.1.1.1', '203.0.113.7'],
  ])(
    '%j takes X-Forwarded-For from the right, so that what a client invents counts for nothing',
    (options, connection, forwardedFor, expected) => {
      expect(ip(options, connection, forwardedFor)).toBe(expected)
    },
  )

  test('counts all addresses of one /64 as one', () => {
    expect(ip(undefined, '2001:db8:1:2::1')).toBe('2001:db8:1:2')
    expect(ip(undefined, '2001:db8:1:2:ffff::9')).toBe('2001:db8:1:2')
    expect(ip(undefined, '2001:db8:1:3::1')).toBe('2001:db8:1:3')
  })

  test('counts IPv4 that is written as IPv6 as IPv4', () => {
    expect(ip(undefined, '::ffff:203.0.113.7')).toBe('203.0.113.7')
    expect(ip({ trustedProxies: ['10.0.0.0/8'] }, '::ffff:10.0.0.1', '::ffff:cb00:7107')).toBe('203.0.113.7')
  })

  test('takes no notice of the port that some proxies add', () => {
    expect(ip({ trustedProxies: 1 }, '10.0.0.1', '203.0.113.7:50123')).toBe('203.0.113.7')
    expect(ip({ trustedProxies: 1 }, '10.0.0.1', '[2001:db8:1:2::9]:50123')).toBe('2001:db8:1:2')
  })

  test.each([-1, 1.5, Number.NaN])('refuses %j proxies', (trustedProxies) => {
    expect(() => byClientIp({ trustedProxies })).toThrow('trustedProxies must be a whole number')
  })

  test('refuses a proxy that is no address', () => {
    expect(() => byClientIp({ trustedProxies: ['proxy.internal'] })).toThrow(
      expect.objectContaining({ code: 'invalid_request', field: 'trustedProxies' }),
    )
  })
})

describe('byApiKey', () => {
  test('is the same for a key in either header, and shows nothing of it', async () => {
    const key = await byApiKey()(request('', { 'x-api-key': 'sk-one' }))
    expect(key).toMatch(/^key:[0-9a-f]{32}$/)
    expect(await byApiKey()(request('', { authorization: 'Bearer sk-one' }))).toBe(key)
    expect(await byApiKey()(request('', { authorization: 'Bearer sk-two' }))).not.toBe(key)
  })

  test.each([{}, { authorization: 'Basic dTpw' }, { 'x-api-key': ' ' }, { 'x-api-key': 'x'.repeat(513) }])(
    'finds none in %j',
    async (headers) => {
      expect(await byApiKey()(request('', headers))).toBeUndefined()
    },
  )
})

test('firstOf takes the first key that there is', async () => {
  const key = firstOf(byApiKey(), byClientIp())
  expect(await key(request('203.0.113.7'))).toBe('203.0.113.7')
  expect(await key(request('203.0.113.7', { 'x-api-key': 'k' }))).toMatch(/^key:/)
  expect(await firstOf(byApiKey())(request('203.0.113.7'))).toBeUndefined()
})
