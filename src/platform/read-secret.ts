import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** Imported with the first secret: the client is 14 KB that a cold start need not load. */
const clients = new Map<string | undefined, SecretsManagerClient>()

const clientIn = (region: string | undefined): SecretsManagerClient => {
  const client = clients.get(region) ?? new SecretsManagerClient(region === undefined ? {} : { region })
  clients.set(region, client)
  return client
}

/** The text of a secret; default: in the region of the process. Throws the SDK's error, and for a secret without text. */
export const readSecret = async (id: string, region?: string): Promise<string> => {
  const { SecretString } = await clientIn(region).send(new GetSecretValueCommand({ SecretId: id }))
  if (!SecretString) throw new Error(`${id} contains no text`)
  return SecretString
}
