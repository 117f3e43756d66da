import { expect, test } from 'vitest'
import { parseSecretReference } from '../../src/core/model/upstream.ts'
import { type Logger, silentLogger } from '../../src/core/ports/platform.ts'
import {
  createReferencedSecrets,
  type ReferencedSecretsOptions,
} from '../../src/platform/referenced-secrets.ts'
import { createTestClock, SECOND } from '../core/test-clock.ts'

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:openai-AbCdEf'
const OWN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin-AbCdEf'

const setUp = (options: Partial<ReferencedSecretsOptions> = {}) => {
  const clock = createTestClock()
  const stored = new Map<string, string>()
  const fetched: string[] = []
  const logged: unknown[] = []
  const record = (...parts: readonly unknown[]) => void logged.push(parts)
  const logger: Logger = { ...silentLogger, info: record, warn: record, error: record }
  const secrets = createReferencedSecrets({
    parse: (text) => parseSecretReference(text),
    setting: 'UPSTREAM_ALLOWED_SECRET_ARNS',
    environment: {},
    allowedArns: [ARN, OWN],
    ownArns: [OWN, ''],
    async fetch(arn, region) {
      fetched.push(`${arn} in ${region}`)
      const value = stored.get(arn)
      if (value === undefined) {
        const error = new Error(`User: arn:aws:sts::1:assumed-role/x is not authorized`)
        error.name = 'AccessDeniedException'
        throw error
      }
      return value
    },
    clock,
    logger,
    ...options,
  })
  return { secrets, clock, stored, fetched, logged }
}

test('reads the allowed variables of the environment', async () => {
  const environment = { UPSTREAM_SECRET_A: ' sk-a\n', UPSTREAM_API_KEY: 'sk-b', ADMIN_TOKEN: 'dev-admin' }
  const { secrets } = setUp({ environment })
  expect(await secrets.read('env:UPSTREAM_SECRET_A')).toBe('sk-a')
  expect(await secrets.read('env:UPSTREAM_API_KEY')).toBe('sk-b')
})

test.each([
  ['env:ADMIN_TOKEN', 'the reference of the secret is not valid'],
  ['sk-a-key-by-mistake', 'the reference of the secret is not valid'],
  ['env:UPSTREAM_SECRET_B', 'UPSTREAM_SECRET_B is not set in the environment of zael'],
  ['env:UPSTREAM_SECRET_EMPTY', 'UPSTREAM_SECRET_EMPTY is not set in the environment of zael'],
  ['env:UPSTREAM_SECRET_JSON', 'env:UPSTREAM_SECRET_JSON must contain the key itself, not JSON'],
  ['env:UPSTREAM_SECRET_WORDS', 'env:UPSTREAM_SECRET_WORDS must contain printable ASCII without spaces'],
  [`${ARN}x`, `${ARN}x is not in UPSTREAM_ALLOWED_SECRET_ARNS`],
  [OWN, `${OWN} is not in UPSTREAM_ALLOWED_SECRET_ARNS`],
  [ARN, `${ARN} cannot be read from Secrets Manager (AccessDeniedException)`],
])('%s is not readable: %s', async (reference, message) => {
  const environment = {
    ADMIN_TOKEN: 'dev-admin',
    UPSTREAM_SECRET_EMPTY: ' ',
    UPSTREAM_SECRET_JSON: '{"apiKey":"s3cret"}',
    UPSTREAM_SECRET_WORDS: 'two s3cret words',
  }
  const { secrets } = setUp({ environment })
  await expect(secrets.read(reference)).rejects.toMatchObject({ name: 'SecretUnreadable', message })
})

test('never fetches a secret that is not allowed, nor a token of zael itself', async () => {
  const { secrets, fetched } = setUp()
  for (const arn of [OWN, `${ARN}x`]) await expect(secrets.read(arn)).rejects.toThrow('is not in')
  expect(fetched).toEqual([])
})

test('fetches a secret in its region, again after five minutes, and keeps the last value in a failure', async () => {
  const { secrets, clock, stored, fetched, logged } = setUp()
  stored.set(ARN, 'sk-first\n')
  expect(await secrets.read(ARN)).toBe('sk-first')
  stored.set(ARN, 'sk-second')
  clock.advance(299n * SECOND)
  expect(await secrets.read(ARN)).toBe('sk-first')
  expect(fetched).toEqual([`${ARN} in eu-central-1`])
  clock.advance(SECOND)
  expect(await secrets.read(ARN)).toBe('sk-second')
  stored.delete(ARN)
  clock.advance(300n * SECOND)
  expect(await secrets.read(ARN)).toBe('sk-second')
  expect(logged).toMatchObject([['secrets not read: the last values remain valid', expect.anything()]])
  expect(String(logged)).not.toContain('sk-')
})

test('rejects a value that the rules of its use reject, without repeating it', async () => {
  const { secrets, logged } = setUp({
    environment: { UPSTREAM_SECRET_A: 'sh0rt' },
    faultOf: (value) => (value.length < 16 ? 'contain at least 16 characters' : undefined),
  })
  const error: unknown = await secrets.read('env:UPSTREAM_SECRET_A').catch((reason: unknown) => reason)
  expect(error).toMatchObject({ message: 'env:UPSTREAM_SECRET_A must contain at least 16 characters' })
  expect(String(error) + JSON.stringify(logged)).not.toContain('sh0rt')
})
