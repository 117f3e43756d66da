import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { bedrockAnswer } from './bedrock-answers.ts'

export interface LocalBedrockOptions {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials, which requests must contain. */
  readonly sessionToken?: string
  readonly region: string
  readonly service: 'bedrock' | 'bedrock-mantle'
  /** A Bedrock API key, which is accepted as a Bearer token. */
  readonly apiKey?: string
  readonly port?: number
}

export interface LocalBedrock {
  /** The `base_url` of an upstream. */
  readonly origin: string
  /** The requests that were accepted. */
  readonly accepted: readonly { readonly path: string; readonly body: Readonly<Record<string, unknown>> }[]
  close(): Promise<void>
}

/**
 * Bedrock's OpenAI- and Anthropic-compatible paths on this machine, for tests and demonstrations: it checks signatures as AWS
 * does, by an implementation of its own, and answers every model with the same words.
 */
export const startLocalBedrock = async (options: LocalBedrockOptions): Promise<LocalBedrock> => {
  const accepted: { path: string; body: Readonly<Record<string, unknown>> }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const text = Buffer.concat(parts)
    const rejection = rejectionOf(request, text, options)
    if (rejection !== undefined) return reject(response, rejection)
    const path = request.url ?? ''
    const body: Readonly<Record<string, unknown>> = JSON.parse(text.toString())
    accepted.push({ path, body })
    return bedrockAnswer(path, body, response)
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    accepted,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Rejection {
  readonly type: string
  readonly message: string
}

const reject = (response: ServerResponse, { type, message }: Rejection): void => {
  response.writeHead(403, { 'content-type': 'application/json', 'x-amzn-errortype': type })
  response.end(JSON.stringify({ message }))
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/

interface Signature {
  readonly accessKeyId: string
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const rejectionOf = (
  request: IncomingMessage,
  body: Buffer,
  options: LocalBedrockOptions,
): Rejection | undefined => {
  const { authorization = '' } = request.headers
  if (options.apiKey !== undefined && authorization === `Bearer ${options.apiKey}`) return undefined
  const parts = AUTHORIZATION.exec(authorization)
  if (parts === null) {
    return { type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' }
  }
  const [, accessKeyId = '', day = '', region = '', service = '', signed = '', signature = ''] = parts
  const given = { accessKeyId, day, region, service, signedHeaders: signed.split(';'), signature }
  return rejectionOfScope(given, request, options) ?? rejectionOfSignature(given, request, body, options)
}

const MAX_SKEW_MS = 300_000

const rejectionOfScope = (
  { accessKeyId, day, region, service, signedHeaders }: Signature,
  { headers }: IncomingMessage,
  options: LocalBedrockOptions,
): Rejection | undefined => {
  const date = headers['x-amz-date']
  const unsigned = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name),
  )
  const invalid = (message: string) => ({ type: 'InvalidSignatureException', message })
  if (accessKeyId !== options.accessKeyId || headers['x-amz-security-token'] !== options.sessionToken) {
    return {
      type: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    }
  }
  if (unsigned.length > 0) return invalid(`'${unsigned.join(', ')}' must be a 'SignedHeader'`)
  if (typeof date !== 'string' || !date.startsWith(day))
    return invalid('Date in Credential scope does not match')
  if (Math.abs(Date.now() - timeOf(date)) > MAX_SKEW_MS) return invalid(`Signature expired: ${date}`)
  if (region !== options.region) return invalid('Credential should be scoped to a valid region.')
  if (service !== options.service)
    return invalid(`Credential should be scoped to correct service: '${options.service}'.`)
  return undefined
}

/** `20261130T081500Z` */
const timeOf = (date: string): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

const rejectionOfSignature = (
  { day, region, service, signedHeaders, signature }: Signature,
  request: IncomingMessage,
  body: Buffer,
  { secretAccessKey }: LocalBedrockOptions,
): Rejection | undefined => {
  const bodyHash = sha256(body)
  const canonical = [
    request.method,
    // every service but S3 encodes each segment of the path once more
    (request.url ?? '').split('/').map(encodeURIComponent).join('/'),
    '',
    ...signedHeaders.map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const expected = hmac(key, toSign)
  const isBodySigned = (request.headers['x-amz-content-sha256'] ?? bodyHash) === bodyHash
  if (isBodySigned && timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return undefined
  return {
    type: 'InvalidSignatureException',
    message: `The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been\n'${canonical}'`,
  }
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()
