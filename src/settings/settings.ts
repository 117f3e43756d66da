import * as v from 'valibot'
import { WEBHOOK_ADDRESSES } from '../core/model/alert.ts'
import { isModelId, MODEL_ID_RULE } from '../core/model/entity.ts'
import { ON_UNAVAILABLE } from '../core/model/limit.ts'
import { DAY_SECONDS, HOUR_SECONDS } from '../core/model/time.ts'
import { LOG_LEVELS } from '../platform/console-logger.ts'
import {
  anyText,
  flag,
  httpUrl,
  matching,
  oneOf,
  origins,
  secretArns,
  type TextSchema,
  tokenIssuers,
  topicArns,
  upstreamUrl,
  wholeNumber,
  wholeNumberOrNone,
} from './text-schemas.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One environment variable. */
interface Setting<T, Default extends string | null> {
  readonly name: string
  readonly schema: TextSchema<T>
  /** The default as text of the environment; null: no default, so the setting is null if it is not set. */
  readonly defaultText: Default
}

const setting = <T, const Default extends string | null>(
  name: string,
  schema: TextSchema<T>,
  defaultText: Default,
): Setting<T, Default> => ({ name, schema, defaultText })

export const DEFAULT_ADMIN_TOKEN = 'dev-admin'
export const DEFAULT_VIEWER_TOKEN = 'dev-viewer'

const TEN_MINUTES_MS = 600_000
/** Sliding windows are exact up to this difference. */
const MAX_CLOCK_SKEW_MS = 5000
const MEBIBYTE = 1_048_576

const port = wholeNumber(0, 65_535)
const token = matching(/^[\x21-\x7e]+$/, 'be printable ASCII without spaces')
const tableName = matching(/^[A-Za-z0-9_.-]{3,255}$/, 'be 3 to 255 of A-Z a-z 0-9 _ . -')
const nodeId = matching(/^[\x21-\x7e]{1,128}$/, 'be 1 to 128 printable ASCII characters without spaces')
export const modelId = v.pipe(v.string(), v.check(isModelId, MODEL_ID_RULE))

/** Every setting, by its field in `Settings`. `docs/settings.md` describes them; a test compares names and defaults. */
export const SETTINGS = {
  tableName: setting('TABLE_NAME', tableName, 'ZAEL-demo'),
  /** null: an embedded DynamoDB. */
  awsEndpointUrl: setting('AWS_ENDPOINT_URL', httpUrl, null),
  host: setting('HOST', anyText, '127.0.0.1'),
  port: setting('PORT', port, '8080'),
  dynamodbPort: setting('DYNAMODB_PORT', port, '8000'),
  /** null: in memory. */
  dataDir: setting('DATA_DIR', anyText, null),
  nodeId: setting('NODE_ID', nodeId, null),
  logLevel: setting('LOG_LEVEL', oneOf(LOG_LEVELS), 'info'),

  rateLimitingEnabled: setting('RATE_LIMITING_ENABLED', flag, 'true'),
  bypassLimiter: setting('BYPASS_LIMITER', flag, '0'),
  /** null: no default. */
  defaultRpmLimit: setting('DEFAULT_RPM_LIMIT', wholeNumberOrNone(0, 1e12), '60'),
  /** null: no default. */
  defaultTpmLimit: setting('DEFAULT_TPM_LIMIT', wholeNumberOrNone(0, 1e12), '10000'),
  rateLimitWindowSeconds: setting('RATE_LIMIT_WINDOW', wholeNumber(1, 31 * DAY_SECONDS), '60'),
  configCacheSeconds: setting('CONFIG_CACHE_SECONDS', wholeNumber(0, DAY_SECONDS), '30'),
  /** 0: no leases. */
  leaseTtlMs: setting('LEASE_TTL_MS', wholeNumber(0, TEN_MINUTES_MS), '1000'),
  storeDeadlineMs: setting('STORE_DEADLINE_MS', wholeNumber(1, 60_000), '250'),
  onUnavailable: setting('ON_UNAVAILABLE', oneOf(ON_UNAVAILABLE), 'deny'),
  maxClockSkewMs: setting('MAX_CLOCK_SKEW_MS', wholeNumber(1, MAX_CLOCK_SKEW_MS), String(MAX_CLOCK_SKEW_MS)),
  windowSeconds: setting('WINDOW_SECONDS', wholeNumber(1, 31 * DAY_SECONDS), '60'),
  /** A path, read at start; null: none. */
  apiKeysFile: setting('API_KEYS_FILE', anyText, null),
  /** JSON of the same shape as the file; null: none. */
  apiKeysJson: setting('API_KEYS_JSON', anyText, null),

  adminToken: setting('ADMIN_TOKEN', token, DEFAULT_ADMIN_TOKEN),
  viewerToken: setting('VIEWER_TOKEN', token, DEFAULT_VIEWER_TOKEN),
  /** Issuers of tokens (JWTs) that callers may send in place of keys. */
  jwtIssuers: setting('JWT_ISSUERS', tokenIssuers, ''),
  defaultModel: setting('DEFAULT_MODEL', modelId, 'gpt-4'),
  /** null: the simulated model. */
  upstreamBaseUrl: setting('UPSTREAM_BASE_URL', upstreamUrl, null),
  upstreamApiKey: setting('UPSTREAM_API_KEY', token, null),
  /** ARNs of secrets that upstreams may reference. */
  upstreamAllowedSecretArns: setting('UPSTREAM_ALLOWED_SECRET_ARNS', secretArns, ''),
  /** A path, read at start; null: none. */
  upstreamsFile: setting('UPSTREAMS_FILE', anyText, null),
  /** ARNs of secrets that webhooks of alerts may reference. */
  alertAllowedSecretArns: setting('ALERT_ALLOWED_SECRET_ARNS', secretArns, ''),
  /** ARNs of topics that alerts may be published to. */
  alertTopicArns: setting('ALERT_TOPIC_ARNS', topicArns, ''),
  alertWebhookAddresses: setting('ALERT_WEBHOOK_ADDRESSES', oneOf(WEBHOOK_ADDRESSES), 'public'),
  /** Longer waits than this come with `x-should-retry: false`. */
  maxRetrySeconds: setting('MAX_RETRY_SECONDS', wholeNumber(0, DAY_SECONDS), '60'),
  /** Silence of a stream after which a comment is sent. */
  heartbeatSeconds: setting('HEARTBEAT_SECONDS', wholeNumber(1, HOUR_SECONDS), '15'),
  /** null: the simulated model streams as fast as its client reads. */
  simulatedTokensPerSecond: setting('SIMULATED_TOKENS_PER_SECOND', wholeNumber(1, 1_000_000), null),
  simulatedLatencyMs: setting('SIMULATED_LATENCY_MS', wholeNumber(0, TEN_MINUTES_MS), '0'),
  errorFormat: setting('ERROR_FORMAT', oneOf(['openai', 'flat']), 'openai'),
  maxBodyBytes: setting('MAX_BODY_BYTES', wholeNumber(1, 1024 * MEBIBYTE), String(MEBIBYTE)),
  maxModelBodyBytes: setting('MAX_MODEL_BODY_BYTES', wholeNumber(1, 1024 * MEBIBYTE), String(32 * MEBIBYTE)),
  keepAliveSeconds: setting('KEEP_ALIVE_SECONDS', wholeNumber(1, HOUR_SECONDS), '65'),
  /** How long requests in progress may take to finish after a signal to stop. */
  stopGraceSeconds: setting('STOP_GRACE_SECONDS', wholeNumber(0, HOUR_SECONDS), '7'),
  corsOrigins: setting('CORS_ORIGINS', origins, ''),
  trustedProxies: setting('TRUSTED_PROXIES', wholeNumber(0, 100), '0'),
}

type ValueOf<S> =
  S extends Setting<infer T, infer Default> ? T | (Default extends null ? null : never) : never

/** The value of every setting, checked. Times are in the unit of the name. */
export type Settings = { readonly [Field in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Field]> }
