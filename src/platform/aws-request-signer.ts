import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { SignatureV4 } from '@smithy/signature-v4'
import type { RequestSigner, UnsignedRequest } from '../core/ports/upstreams.ts'

type SignatureOptions = ConstructorParameters<typeof SignatureV4>[0]

export interface AwsRequestSignerOptions {
  /** The region of the process; null: none is set. */
  readonly region: string | null
  /** Default: those of the process, which their provider caches and renews. */
  readonly credentials?: SignatureOptions['credentials']
}

/** Signs requests by Signature Version 4, the hash of the body included. */
export const createAwsRequestSigner = ({
  region,
  credentials = defaultProvider(),
}: AwsRequestSignerOptions): RequestSigner => ({
  async sign(request) {
    const signingRegion = request.region ?? region
    if (signingRegion === null) {
      throw new Error('there is no region to sign for: set the region of the upstream, or AWS_REGION')
    }
    const signer = new SignatureV4({
      service: request.service,
      region: signingRegion,
      credentials,
      sha256: Sha256,
    })
    const { headers } = await signer.sign(unsigned(request))
    const { host: _, 'content-type': __, ...added } = headers
    return added
  },
})

const unsigned = ({ origin, path, body }: UnsignedRequest) => {
  const { protocol, hostname, host, port } = new URL(origin)
  return {
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path,
    query: {},
    headers: { host, 'content-type': 'application/json' },
    body,
  }
}

type HashConstructor = SignatureOptions['sha256']

type HashedData = Parameters<InstanceType<HashConstructor>['update']>[0]

const bytesOf = (data: HashedData): string | Uint8Array => {
  if (typeof data === 'string') return data
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}

/** A class, because the signer creates its hashes with `new`. */
const Sha256: HashConstructor = class {
  readonly #secret: HashedData | undefined
  #hash: Hash | Hmac

  constructor(secret?: HashedData) {
    this.#secret = secret
    this.#hash = newHash(secret)
  }

  update(data: HashedData): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    this.#hash = newHash(this.#secret)
  }
}

const newHash = (secret: HashedData | undefined): Hash | Hmac =>
  secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
