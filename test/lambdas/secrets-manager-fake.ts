import { createServer } from 'node:http'

export interface FakeSecretsManager {
  readonly endpoint: string
  close(): Promise<void>
}

/** Serves GetSecretValue from `values`, like Secrets Manager, on a free loopback port. */
export const startSecretsManager = async (
  values: Readonly<Record<string, string>>,
): Promise<FakeSecretsManager> => {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { SecretId } = JSON.parse(body)
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    response.end(JSON.stringify({ Name: SecretId, SecretString: values[SecretId] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
