import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** Imported with the first secret: the client is 14 KB that a cold start need not load. */
const client = new SecretsManagerClient()

/** The text of a secret. Throws the SDK's error, and for a secret without text. */
export const readSecret = async (id: string): Promise<string> => {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }))
  if (!SecretString) throw new Error(`${id} contains no text`)
  return SecretString
}
