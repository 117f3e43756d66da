import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { clientIp } from '../../../src/http/auth/client-ip.ts'

const seen = async (trustedProxies: number, env: object, forwarded?: string): Promise<string> => {
  const app = new Hono().get('/', (c) => c.text(clientIp(c, trustedProxies)))
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return (await app.request('/', { headers }, env)).text()
}

const socket = { incoming: { socket: { remoteAddress: '192.0.2.1' } } }

describe('clientIp', () => {
  test('is the address of the connection, whatever the client claims, where no proxy is trusted', async () => {
    expect(await seen(0, socket, '203.0.113.9')).toBe('192.0.2.1')
  })

  test('is what the last trusted proxy saw', async () => {
    expect(await seen(1, socket, '10.9.9.9, 203.0.113.9')).toBe('203.0.113.9')
    expect(await seen(2, socket, '10.9.9.9, 203.0.113.9, 198.51.100.7')).toBe('203.0.113.9')
  })

  test('is the address of the connection where fewer proxies have written than are trusted', async () => {
    expect(await seen(3, socket, '203.0.113.9')).toBe('192.0.2.1')
    expect(await seen(1, socket)).toBe('192.0.2.1')
  })

  test.each([
    ['a REST API', { requestContext: { identity: { sourceIp: '192.0.2.5' } } }],
    ['a function URL', { requestContext: { http: { sourceIp: '192.0.2.5' } } }],
    [
      'an adapter that hands over the event',
      { event: { requestContext: { identity: { sourceIp: '192.0.2.5' } } } },
    ],
  ])('is found behind %s', async (_, env) => {
    expect(await seen(0, env)).toBe('192.0.2.5')
  })

  test('is one address for all where the platform tells none', async () => {
    expect(await seen(0, {})).toBe('unknown')
  })
})
