import * as v from 'valibot'
import {
  type AdaptiveAdmission,
  DEFAULT_FLOOR,
  DEFAULT_TIMEOUTS,
  DEFAULT_UPSTREAM,
  FLOOR_BOUNDS,
  parseSecretReference,
  SECRET_RULE,
  SIGNING_SERVICES,
  TIMEOUT_BOUNDS,
  UPSTREAM_KINDS,
  UPSTREAM_NAME_PATTERN,
  UPSTREAM_NAME_RULE,
  type UpstreamDraft,
  type UpstreamKind,
} from '../core/model/upstream.ts'
import { baseUrlCheck, openAiBaseUrlFault, pathOf } from './base-url.ts'
import { checkedBy, closedObject, type Fault, plainRecord } from './containers.ts'
import { nextCursor, numberFrom, optionalOrNull, seconds } from './fields.ts'

export const upstreamName = v.pipe(v.string(), v.regex(UPSTREAM_NAME_PATTERN, UPSTREAM_NAME_RULE))

export const upstreamParam = v.object({ name: upstreamName })

const baseUrl = v.pipe(
  v.string(),
  baseUrlCheck,
  v.description(
    'With `/v1` for `openai` (or the path of a compatible server), without it for `anthropic` and `bedrock`. `bedrock`: in place of the public endpoint of the region',
  ),
)

/** Names such as `eu-central-1` and `us-gov-west-1`: hosts are made of them. */
const region = v.pipe(
  v.string(),
  v.regex(/^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/, 'be a region of AWS, such as us-east-1'),
  v.description('Only for `bedrock`; default: the region of the process'),
)

const signingService = v.pipe(
  v.picklist(SIGNING_SERVICES),
  v.description('Only for `bedrock`; default: by the host of `base_url`'),
)

/** The reference itself may be a key by mistake: no message repeats it. */
const secret = v.pipe(
  v.string(SECRET_RULE),
  v.check((text) => parseSecretReference(text) !== undefined, SECRET_RULE),
  v.description(
    'A reference: `env:UPSTREAM_SECRET_…`, `env:UPSTREAM_API_KEY`, or the ARN of a secret that the deployment allows',
  ),
)

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/

const HEADER_NAME_RULE = 'be the name of a header: 1 to 128 letters, digits and hyphens'

/** Headers that the exchange itself sets, and hop-by-hop headers. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-request-id',
])

/** Their values are secrets, which the configuration shows: `authorization`, `x-api-key`, `cookie`, `x-amz-security-token`. */
const CREDENTIALS = /auth|api-?key|cookie|credential|passw|secret|signature|token$|^x-amz-/

const headerFault = (name: string): string | undefined => {
  if (RESERVED_HEADERS.has(name)) return 'not be set: the connection to the upstream sets it'
  return CREDENTIALS.test(name) ? 'not be set: `secret` refers to the credentials of an upstream' : undefined
}

const MOST_HEADERS = 20

const headers = v.pipe(
  plainRecord(
    v.pipe(v.string(), v.regex(HEADER_NAME, HEADER_NAME_RULE)),
    v.pipe(
      v.string(),
      v.regex(/^[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?$/, 'be 1 to 1024 printable ASCII characters'),
      v.check(
        (text) => !/^(bearer|basic)\s/i.test(text),
        'not be credentials: `secret` refers to those of an upstream',
      ),
    ),
  ),
  v.maxEntries(MOST_HEADERS, `contain at most ${MOST_HEADERS} headers`),
  checkedBy<Readonly<Record<string, string>>>((given) => {
    const names = Object.keys(given)
    const lower = names.map((name) => name.toLowerCase())
    for (const [index, name] of names.entries()) {
      if (lower.indexOf(name.toLowerCase()) < index) return { path: [name], must: 'be given once' }
      const must = headerFault(name.toLowerCase())
      if (must !== undefined) return { path: [name], must }
    }
    return undefined
  }),
  v.description('Headers of every request to the upstream, none of them credentials'),
)

const timeout = (of: string, fallback: number, most: number = TIMEOUT_BOUNDS.most) => {
  const { least } = TIMEOUT_BOUNDS
  const must = `be a number of seconds from ${least} to ${most}`
  return v.exactOptional(v.pipe(numberFrom(least, most, must), v.description(`${of}; default ${fallback}`)))
}

const adaptive = v.pipe(
  closedObject({
    floor: v.exactOptional(
      v.pipe(
        numberFrom(FLOOR_BOUNDS.least, FLOOR_BOUNDS.most),
        v.description(`The least share of their limits that callers keep; default ${DEFAULT_FLOOR}`),
      ),
    ),
  }),
  v.description(
    'While the upstream answers 429, or reports that little is left, callers get a smaller share of their limits on its models',
  ),
)

const upstreamFields = closedObject({
  kind: v.pipe(
    v.picklist(UPSTREAM_KINDS),
    v.description(
      '`openai`: any compatible API. `bedrock`: its OpenAI- and Anthropic-compatible routes, signed with the credentials of the process',
    ),
  ),
  base_url: optionalOrNull(baseUrl),
  region: optionalOrNull(region),
  signing_service: optionalOrNull(signingService),
  secret: optionalOrNull(secret),
  headers: v.exactOptional(headers),
  connect_timeout_seconds: timeout(
    'Until the connection is established',
    DEFAULT_TIMEOUTS.connectSeconds,
    TIMEOUT_BOUNDS.mostToConnect,
  ),
  first_byte_timeout_seconds: timeout(
    'Until the first byte of the response',
    DEFAULT_TIMEOUTS.firstByteSeconds,
  ),
  idle_timeout_seconds: timeout('Without any byte, after the first', DEFAULT_TIMEOUTS.idleSeconds),
  total_timeout_seconds: timeout('Until the end of the response', DEFAULT_TIMEOUTS.totalSeconds),
  adaptive: optionalOrNull(adaptive),
})

type UpstreamFields = v.InferOutput<typeof upstreamFields>

/** Optional fields that a kind does not have. */
const FIELDS_OF_OTHERS: Readonly<Record<UpstreamKind, readonly (keyof UpstreamFields)[]>> = {
  openai: ['region', 'signing_service'],
  anthropic: ['region', 'signing_service'],
  bedrock: ['secret'],
  simulated: ['base_url', 'region', 'signing_service', 'secret', 'headers', 'adaptive'],
}

const kindFault = (given: UpstreamFields): Fault | undefined => {
  const { kind, base_url: url = null } = given
  const foreign = FIELDS_OF_OTHERS[kind].find((field) => given[field] !== undefined && given[field] !== null)
  if (foreign === 'secret') return { path: ['secret'], must: SIGNED }
  if (foreign !== undefined) return { path: [foreign], must: `not be given: kind ${kind} has none` }
  const must = url === null ? absentUrlFault(kind) : urlFault(kind, url)
  return must === undefined ? undefined : { path: ['base_url'], must }
}

const SIGNED =
  'not be given: requests to bedrock are signed with the credentials of the process (kind openai with the same base_url accepts a Bedrock API key)'

const absentUrlFault = (kind: UpstreamKind): string | undefined => {
  if (kind === 'openai') return 'be given, such as https://api.openai.com/v1'
  return kind === 'anthropic' ? 'be given, such as https://api.anthropic.com' : undefined
}

const urlFault = (kind: UpstreamKind, text: string): string | undefined => {
  if (kind === 'openai') return openAiBaseUrlFault(text)
  const path = pathOf(new URL(text))
  if (path.endsWith('/v1')) return `not end with /v1 for kind ${kind}: zael appends it`
  const isPartOfBedrock = kind === 'bedrock' && /\/(openai|anthropic)$/.test(path)
  return isPartOfBedrock ? 'not end with /openai or /anthropic: zael appends it by route' : undefined
}

export const upstreamBody = v.pipe(upstreamFields, checkedBy(kindFault), v.metadata({ ref: 'NewUpstream' }))

/** The upstream that a body describes; its URL is normalized. */
export const upstreamDraftOf = (body: UpstreamFields): UpstreamDraft => ({
  kind: body.kind,
  baseUrl: body.base_url ? new URL(body.base_url).href : null,
  region: body.region ?? null,
  signingService: body.signing_service ?? null,
  secret: body.secret ?? null,
  headers: Object.fromEntries(
    Object.entries(body.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  ),
  timeouts: {
    connectSeconds: body.connect_timeout_seconds ?? DEFAULT_TIMEOUTS.connectSeconds,
    firstByteSeconds: body.first_byte_timeout_seconds ?? DEFAULT_TIMEOUTS.firstByteSeconds,
    idleSeconds: body.idle_timeout_seconds ?? DEFAULT_TIMEOUTS.idleSeconds,
    totalSeconds: body.total_timeout_seconds ?? DEFAULT_TIMEOUTS.totalSeconds,
  },
  adaptive: adaptiveOf(body.adaptive),
})

const adaptiveOf = (given: UpstreamFields['adaptive']): AdaptiveAdmission | null =>
  given ? { floor: given.floor ?? DEFAULT_FLOOR } : null

const upstreamState = v.object({
  model: v.pipe(v.string(), v.description("The model's name at the upstream")),
  factor: v.pipe(
    v.number(),
    v.description(
      'The share of their limits that callers have on the model now; 1: all, always so unless `adaptive` is set',
    ),
  ),
  resting: v.boolean(),
  rests_until: v.pipe(v.nullable(seconds), v.description('null: it does not rest')),
  last_failure: v.nullable(
    v.object({
      cause: v.pipe(v.string(), v.description('A status, or the cause of a broken exchange')),
      at: seconds,
    }),
  ),
})

export const upstreamResponse = v.pipe(
  v.object({
    name: v.string(),
    kind: v.picklist(UPSTREAM_KINDS),
    base_url: v.nullable(v.string()),
    region: v.nullable(v.string()),
    signing_service: v.nullable(v.picklist(SIGNING_SERVICES)),
    secret: v.pipe(v.nullable(v.string()), v.description('The reference, never the secret')),
    headers: v.record(v.string(), v.string()),
    connect_timeout_seconds: v.number(),
    first_byte_timeout_seconds: v.number(),
    idle_timeout_seconds: v.number(),
    total_timeout_seconds: v.number(),
    adaptive: v.nullable(v.object({ floor: v.number() })),
    created_at: seconds,
    source: v.pipe(
      v.picklist(['table', 'environment']),
      v.description(
        `\`environment\`: \`${DEFAULT_UPSTREAM}\` is set by UPSTREAM_BASE_URL and cannot be changed here`,
      ),
    ),
    models: v.pipe(
      v.array(upstreamState),
      v.description(
        'Models that have failed at this upstream lately, or of which less is admitted, as this process observes them',
      ),
    ),
  }),
  v.metadata({ ref: 'Upstream' }),
)

export const upstreamsResponse = v.object({ items: v.array(upstreamResponse), next_cursor: nextCursor })
