import type { Upstream } from '../../core/model/upstream.ts'
import type { ResponseHeaders } from '../../core/ports/model-backend.ts'
import type { RequestSigner, SecretReader } from '../../core/ports/upstreams.ts'
import type { Endpoint } from './endpoint.ts'

export interface Credentials {
  readonly secrets: SecretReader
  readonly signer: RequestSigner
}

/** The headers by which an upstream accepts a request: zael's own key, or a signature. Rejects if they cannot be made. */
export type Authenticate = (path: string, body: string) => Promise<ResponseHeaders>

const NO_HEADERS: ResponseHeaders = {}

const withoutKey: Authenticate = async () => NO_HEADERS

export const createAuthentication = (
  { kind, secret }: Upstream,
  { origin, region, service }: Endpoint,
  { secrets, signer }: Credentials,
): Authenticate => {
  if (secret !== null) {
    return kind === 'anthropic'
      ? async () => ({ 'x-api-key': await secrets.read(secret) })
      : async () => ({ authorization: `Bearer ${await secrets.read(secret)}` })
  }
  return kind === 'bedrock'
    ? (path, body) => signer.sign({ origin, path, body, service, region })
    : withoutKey
}
