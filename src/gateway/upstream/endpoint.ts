import type { SigningService, Upstream } from '../../core/model/upstream.ts'

/** Where an upstream is. */
export interface Endpoint {
  /** `https://api.openai.com` */
  readonly origin: string
  /** Before the path of a route: `/v1`, or empty. */
  readonly basePath: string
  /** Of `bedrock`: what its requests are signed for. */
  readonly region: string | null
  readonly service: SigningService
}

/** The region in a host of Bedrock: `bedrock-runtime.eu-west-1.amazonaws.com`, also behind the name of a VPC endpoint. */
const REGION_IN_HOST = /(?:^|\.)bedrock-(?:runtime|runtime-fips|mantle)\.([a-z]{2,}(?:-[a-z]+)+-\d+)\./

const MANTLE_HOST = /(?:^|\.)bedrock-mantle\./

/** `processRegion`: of upstreams that name none. Undefined: there is no URL and none follows from a region. */
export const endpointOf = (upstream: Upstream, processRegion: string | null): Endpoint | undefined => {
  const { baseUrl, region, signingService } = upstream
  if (baseUrl === null) {
    const ofHost = region ?? processRegion
    if (upstream.kind !== 'bedrock' || ofHost === null) return undefined
    const origin = `https://bedrock-runtime.${ofHost}.amazonaws.com`
    return { origin, basePath: '', region: ofHost, service: signingService ?? 'bedrock' }
  }
  const { origin, hostname, pathname } = new URL(baseUrl)
  return {
    origin,
    basePath: pathname.replace(/\/+$/, ''),
    region: region ?? REGION_IN_HOST.exec(hostname)?.[1] ?? processRegion,
    service: signingService ?? (MANTLE_HOST.test(hostname) ? 'bedrock-mantle' : 'bedrock'),
  }
}

const OPENAI_PATH = '/openai/v1/'

/** Models that bedrock-mantle serves below `/openai/v1`; all others are below `/v1`. */
const BELOW_OPENAI = /(?:^|\.)(?:openai\.gpt-[5-9]|xai\.)/

/**
 * The path of a route for a model. On bedrock-mantle, the routes of OpenAI's APIs depend on the model:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
 */
export const pathFor = ({ basePath, service }: Endpoint, path: string, model: string): string => {
  const isMoved = service === 'bedrock-mantle' && path.startsWith(OPENAI_PATH) && !BELOW_OPENAI.test(model)
  return basePath + (isMoved ? `/v1/${path.slice(OPENAI_PATH.length)}` : path)
}
