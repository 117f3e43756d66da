import { expect, test } from 'vitest'
import { isLoopbackHost, isOwnOrigin } from '../../../src/http/client/loopback.ts'
import { isLoopback } from '../../../src/platform/loopback.ts'

test.each([
  'localhost',
  'localhost:8080',
  'LOCALHOST:8080',
  'localhost.',
  'api.localhost:8080',
  '127.0.0.1',
  '127.0.0.1:8080',
  '127.255.1.2:1',
  '[::1]',
  '[::1]:8080',
  '[0:0:0:0:0:0:0:1]:8080',
])('%s is this machine', (host) => {
  expect(isLoopbackHost(host)).toBe(true)
})

test.each([
  '',
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  'evil-localhost',
  '127.0.0.1.nip.io',
  '127.evil.example',
  '128.0.0.1',
  '0.0.0.0',
  '192.168.0.2:8080',
  '[::2]',
  '[::ffff:10.0.0.1]',
  '::1',
  'localhost@evil.example',
  'evil.example/localhost',
  'evil.example#.localhost',
  'localhost, evil.example',
])('%s is not', (host) => {
  expect(isLoopbackHost(host)).toBe(false)
})

test.each(['::1', '[::1]', 'LocalHost', 'a.b.localhost.', '127.0.0.1'])(
  '%s without a port is this machine',
  (host) => {
    expect(isLoopback(host)).toBe(true)
  },
)

test.each([
  '',
  '.localhost',
  'localhost:8080',
  '::',
  '[::1]:1',
  '127.0.0.1.example',
  'x127.0.0.1',
  '0.0.0.0',
  'a\nlocalhost',
])('%j without a port is not', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test.each<[origin: string, host: string, isOwn: boolean]>([
  ['http://localhost:8080', 'localhost:8080', true],
  ['http://LOCALHOST:8080', 'localhost:8080', true],
  ['http://[::1]:8080', '[::1]:8080', true],
  ['http://localhost', 'localhost:80', true],
  ['https://localhost', 'localhost', true],
  ['http://localhost:3000', 'localhost:8080', false],
  ['http://127.0.0.1:8080', 'localhost:8080', false],
  ['http://evil.example', 'localhost:8080', false],
  ['null', 'localhost:8080', false],
  ['', 'localhost:8080', false],
  ['file://', 'localhost', false],
])('the origin %s on the host %s is its own: %s', (origin, host, isOwn) => {
  expect(isOwnOrigin(origin, host)).toBe(isOwn)
})
