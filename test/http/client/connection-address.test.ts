import { expect, test } from 'vitest'
import { connectionAddress } from '../../../src/http/client/connection-address.ts'

const request = new Request('http://localhost/')
const bun = { requestIP: (asked: Request) => (asked === request ? { address: '192.0.2.5' } : null) }

test.each([
  ['a Node server', { incoming: { socket: { remoteAddress: '192.0.2.5' } } }],
  ['Deno', { remoteAddr: { transport: 'tcp', hostname: '192.0.2.5', port: 443 } }],
  ['Bun', bun],
  ['Bun, with a server beside other bindings', { server: bun }],
])('is found on %s', (_, env) => {
  expect(connectionAddress(env, request)).toBe('192.0.2.5')
})

test.each([undefined, null, {}, 'env', { server: {} }, { requestIP: () => null }])(
  'is unknown where the platform passes %j',
  (env) => {
    expect(connectionAddress(env, request)).toBe('unknown')
  },
)
