import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createWebhookPoster } from '../../src/platform/webhook.ts'
import { exampleIn, isGenuine, type SignedWebhook, startReceiver } from '../support/webhook-receiver.ts'

/** A message as a receiver gets it, `secondsAgo`. */
const sent = async (secret: string, secondsAgo = 0): Promise<SignedWebhook> => {
  const { origin, received } = await startReceiver()
  const clock = { now: () => BigInt(Date.now() - secondsAgo * 1000) * 1_000_000n }
  const post = createWebhookPoster({ addresses: 'loopback', clock })
  await post(origin, secret, { id: 'alert_1', subject: '', body: '{"text":"80 % of £5"}' })
  const [request] = received
  if (request === undefined) throw new Error('nothing was received')
  return request
}

const inPython = async ({ headers, body }: SignedWebhook, secret: string): Promise<unknown> => {
  const call =
    'import json, sys\nrequest, secret = json.loads(sys.argv[1]), sys.argv[2]\nprint(json.dumps(is_genuine(request["headers"], request["body"].encode(), secret)))'
  const { stdout } = await promisify(execFile)('python3', [
    '-c',
    `${exampleIn('python')}\n${call}`,
    JSON.stringify({ headers, body }),
    secret,
  ])
  return JSON.parse(stdout)
}

const SECRETS = ['a-secret-of-16-characters', 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3']

test.each([
  ['JavaScript', isGenuine],
  ['Python', inPython],
])('the %s example accepts genuine messages, and no others', async (_, verify) => {
  for (const secret of SECRETS) {
    const request = await sent(secret)
    const { headers, body } = request
    expect(await verify(request, secret)).toBe(true)
    expect(await verify(request, secret.replace(/a|M/, 'N'))).toBe(false)
    expect(await verify({ headers, body: `${body} ` }, secret)).toBe(false)
    expect(await verify({ headers: { ...headers, 'webhook-id': 'alert_2' }, body }, secret)).toBe(false)
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(await verify({ headers: { ...headers, 'webhook-timestamp': later }, body }, secret)).toBe(false)
    expect(await verify(await sent(secret, 400), secret)).toBe(false)
  }
})
