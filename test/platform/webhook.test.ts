import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { DeliveryFailed } from '../../src/core/ports/alert-store.ts'
import { createWebhookPoster, signingSecretFault, type WebhookOptions } from '../../src/platform/webhook.ts'
import type { Resolve } from '../../src/platform/webhook-addresses.ts'
import { createTestClock, START } from '../core/test-clock.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const SECRET = 'a-secret-of-16-characters'

const MESSAGE = { id: 'alert_1', subject: 'zael', body: '{"text":"80 % ¥"}' }

const posterOf = (options: Partial<WebhookOptions> = {}) =>
  createWebhookPoster({ addresses: 'loopback', clock: createTestClock(), ...options })

const signed = (key: string | Buffer): string =>
  `v1,${createHmac('sha256', key)
    .update(`alert_1.${START / 1_000_000_000n}.${MESSAGE.body}`)
    .digest('base64')}`

test('posts the message, signed as Standard Webhooks are', async () => {
  const { origin, received } = await startReceiver()
  await posterOf()(`${origin}/hooks?a=1`, SECRET, MESSAGE)
  expect(received).toEqual([
    {
      url: '/hooks?a=1',
      method: 'POST',
      body: MESSAGE.body,
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'user-agent': 'zael',
        'webhook-id': 'alert_1',
        'webhook-timestamp': String(START / 1_000_000_000n),
        'webhook-signature': signed(SECRET),
      }),
    },
  ])
})

test('a secret of Standard Webhooks contains its key in base64', async () => {
  const { origin, received } = await startReceiver()
  const key = Buffer.from('0123456789abcdef01234567')
  await posterOf()(origin, `whsec_${key.toString('base64')}`, MESSAGE)
  expect(received[0]?.headers['webhook-signature']).toBe(signed(key))
})

// the example of https://github.com/standard-webhooks/standard-webhooks, as its libraries verify it
test('the signature of the published example is that of the specification', async () => {
  const { origin, received } = await startReceiver()
  const clock = { now: () => 1_614_265_330n * 1_000_000_000n }
  await posterOf({ clock })(origin, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    subject: '',
    body: '{"test": 2432232314}',
  })
  expect(received[0]?.headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test.each([
  ['a-secret-of-16-c', undefined],
  ['whsec_MDEyMzQ1Njc4OWFiY2RlZg==', undefined],
  ['a-secret-of-15-', 'contain at least 16 characters'],
  ['whsec_MDEyMzQ1Njc4OWFiY2Rl', 'contain at least 16 bytes in base64 after whsec_'],
  ['whsec_a-secret-of-16-characters', 'contain base64 after whsec_'],
])('the secret %s', (secret, fault) => {
  expect(signingSecretFault(secret)).toBe(fault)
})

test.each([
  [200, undefined],
  [299, undefined],
  [400, 'the receiver responded with 400'],
  [410, 'the receiver responded with 410'],
  [500, 'the receiver responded with 500'],
])('a response of %d', async (status, reason) => {
  const { origin } = await startReceiver((_, response) => response.writeHead(status).end('s3cret'))
  const outcome = await posterOf()(origin, SECRET, MESSAGE).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome).toEqual(reason === undefined ? undefined : new DeliveryFailed(reason))
})

test.each([301, 302, 303, 307, 308])('a redirect (%d) is not followed', async (status) => {
  const other = await startReceiver()
  const { origin } = await startReceiver((_, response) =>
    response.writeHead(status, { location: other.origin }).end(),
  )
  const sent = posterOf()(origin, SECRET, MESSAGE)
  await expect(sent).rejects.toThrow(`the receiver responded with ${status}: redirects are not followed`)
  expect(other.received).toEqual([])
})

test('a response without an end is not read', async () => {
  const { origin } = await startReceiver((_, response) => {
    response.writeHead(200)
    const write = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', write)
    write()
  })
  await posterOf()(origin, SECRET, MESSAGE)
})

test('a receiver that does not respond in time', async () => {
  const { origin } = await startReceiver(() => {})
  const sent = posterOf({ timeoutMs: 50 })(origin, SECRET, MESSAGE)
  await expect(sent).rejects.toThrow('no response within 0.05 seconds')
})

test('a name that is not resolved in time', async () => {
  const sent = posterOf({ timeoutMs: 50, resolve: () => {} })('http://localhost:1/', SECRET, MESSAGE)
  await expect(sent).rejects.toThrow('no response within 0.05 seconds')
})

test('a receiver that cannot be reached', async () => {
  const { origin } = await startReceiver((request) => request.socket.destroy())
  await expect(posterOf()(origin, SECRET, MESSAGE)).rejects.toThrow(
    'the receiver could not be reached (ECONNRESET)',
  )
})

const resolvingTo =
  (...addresses: readonly string[]): Resolve =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    )

test('a name that resolves to an address that is not allowed receives nothing', async () => {
  const { origin, received } = await startReceiver()
  const { port } = new URL(origin)
  const url = `https://hooks.example.com:${port}/`
  for (const resolve of [resolvingTo('127.0.0.1'), resolvingTo('8.8.8.8', '127.0.0.1')]) {
    const sent = posterOf({ addresses: 'public', resolve })(url, SECRET, MESSAGE)
    await expect(sent).rejects.toThrow(
      'the name of the receiver resolves to 127.0.0.1, which ALERT_WEBHOOK_ADDRESSES (public) does not allow',
    )
  }
  expect(received).toEqual([])
})

test('the connection is made to the address that was checked, without another resolution', async () => {
  const { origin, received } = await startReceiver()
  const { port } = new URL(origin)
  let resolutions = 0
  // a name whose second resolution would lead elsewhere
  const resolve: Resolve = (name, done) => {
    resolutions += 1
    resolvingTo(resolutions === 1 ? '127.0.0.1' : '10.0.0.1')(name, done)
  }
  await posterOf({ resolve })(`http://hooks.localhost:${port}/`, SECRET, MESSAGE)
  expect(received.map(({ headers }) => headers.host)).toEqual([`hooks.localhost:${port}`])
  expect(resolutions).toBe(1)
})

test.each([
  ['https://10.0.0.1/', 'contain no private address'],
  ['http://hooks.example.com/', 'begin with https://'],
])('%s, which was accepted by other settings, is not sent to', async (url, reason) => {
  await expect(posterOf({ addresses: 'public' })(url, SECRET, MESSAGE)).rejects.toThrow(
    `the URL must ${reason}`,
  )
})

test('each message has a connection of its own, so that each address is checked', async () => {
  const { origin } = await startReceiver()
  const { port } = new URL(origin)
  let resolutions = 0
  const resolve: Resolve = (name, done) => {
    resolutions += 1
    resolvingTo('127.0.0.1')(name, done)
  }
  const post = posterOf({ resolve })
  for (let n = 0; n < 3; n += 1) await post(`http://hooks.localhost:${port}/`, SECRET, MESSAGE)
  expect(resolutions).toBe(3)
})
