import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, expect, test } from 'vitest'
import { readSecret } from '../../src/platform/read-secret.ts'

const service = mockClient(SecretsManagerClient)

afterEach(() => service.reset())

const ARN = 'arn:aws:secretsmanager:eu-west-3:123456789012:secret:openai-AbCdEf'

const regions = async (): Promise<readonly string[]> =>
  Promise.all(service.calls().map(({ thisValue }) => (thisValue as SecretsManagerClient).config.region()))

test('reads a secret in its region, with one client for each', async () => {
  service.on(GetSecretValueCommand, { SecretId: ARN }).resolves({ SecretString: 'sk-a-key' })
  for (const region of ['eu-west-3', 'us-east-1', 'eu-west-3'])
    expect(await readSecret(ARN, region)).toBe('sk-a-key')
  expect(await regions()).toEqual(['eu-west-3', 'us-east-1', 'eu-west-3'])
  const [first, , third] = service.calls()
  expect(first?.thisValue).toBe(third?.thisValue)
})

test('rejects a secret without text, and passes errors on', async () => {
  service
    .on(GetSecretValueCommand)
    .resolvesOnce({ SecretBinary: new Uint8Array([1]) })
    .rejectsOnce(new Error('away'))
  await expect(readSecret(ARN, 'eu-west-3')).rejects.toThrow(`${ARN} contains no text`)
  await expect(readSecret(ARN, 'eu-west-3')).rejects.toThrow('away')
})
