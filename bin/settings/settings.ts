import { isModelId, MODEL_ID_RULE } from '../../src/core/entity/entity.ts'
import { ZaelError } from '../../src/core/errors.ts'
import { limitToJson, parseLimits } from '../../src/core/limit/parse-limit.ts'
import { LOG_LEVELS } from '../../src/platform/console-logger.ts'
import { defaultLimits } from './derived-settings.ts'
import type { SettingKind } from './setting-kinds.ts'
import { flag, httpUrl, integer, Mistake, matching, oneOf, origins, text } from './setting-kinds.ts'
import type { Environment, SettingsReader } from './settings-reader.ts'
import { createSettingsReader, SettingsError } from './settings-reader.ts'

const DEFAULT_ADMIN_TOKEN = 'dev-admin'
const DEFAULT_VIEWER_TOKEN = 'dev-viewer'

const DAY_SECONDS = 86_400
const TEN_MINUTES_MS = 600_000
/** Sliding windows reckon with no more. */
const MOST_CLOCK_SKEW_MS = 5000
const MEBIBYTE = 1_048_576

const port = integer(0, 65_535)
const token = matching(/^[\x21-\x7e]+$/, 'be printable ASCII without spaces')
const tableName = matching(/^[A-Za-z0-9_.-]{3,255}$/, 'be 3 to 255 of A-Z a-z 0-9 _ . -')
const nodeId = matching(/^[\x21-\x7e]{1,128}$/, 'be 1 to 128 printable ASCII characters without spaces')
const modelId: SettingKind<string> = (value) => {
  if (!isModelId(value)) throw new Mistake(MODEL_ID_RULE)
  return value
}

const where = ({ read }: SettingsReader) => ({
  tableName: read('TABLE_NAME', tableName, 'ZAEL-demo'),
  /** null: a DynamoDB of its own. */
  awsEndpointUrl: read('AWS_ENDPOINT_URL', httpUrl, null),
  host: read('HOST', text, '127.0.0.1'),
  port: read('PORT', port, 8080),
  dynamodbPort: read('DYNAMODB_PORT', port, 8000),
  /** null: in memory. */
  dataDir: read('DATA_DIR', text, null),
  nodeId: read('NODE_ID', nodeId, null),
  logLevel: read('LOG_LEVEL', oneOf(...LOG_LEVELS), 'info' as const),
})

const deciding = ({ read }: SettingsReader) => ({
  rateLimitingEnabled: read('RATE_LIMITING_ENABLED', flag, true),
  bypassLimiter: read('BYPASS_LIMITER', flag, false),
  defaultRpmLimit: read('DEFAULT_RPM_LIMIT', integer(1, 1e12), 60),
  defaultTpmLimit: read('DEFAULT_TPM_LIMIT', integer(1, 1e12), 10_000),
  rateLimitWindowSeconds: read('RATE_LIMIT_WINDOW', integer(1, 31 * DAY_SECONDS), 60),
  configCacheSeconds: read('CONFIG_CACHE_SECONDS', integer(0, DAY_SECONDS), 30),
  /** 0: no leases. */
  leaseTtlMs: read('LEASE_TTL_MS', integer(0, TEN_MINUTES_MS), 1000),
  storeDeadlineMs: read('STORE_DEADLINE_MS', integer(1, 60_000), 250),
  onUnavailable: read('ON_UNAVAILABLE', oneOf('allow', 'deny', 'local'), 'deny' as const),
  maxClockSkewMs: read('MAX_CLOCK_SKEW_MS', integer(1, MOST_CLOCK_SKEW_MS), MOST_CLOCK_SKEW_MS),
  windowSeconds: read('WINDOW_SECONDS', integer(1, 31 * DAY_SECONDS), 60),
  /** null: none. A path; what is in it is read when zael starts. */
  apiKeysFile: read('API_KEYS_FILE', text, null),
  /** null: none. JSON, of the same shape as the file. */
  apiKeysJson: read('API_KEYS_JSON', text, null),
})

const answering = ({ read }: SettingsReader) => ({
  adminToken: read('ADMIN_TOKEN', token, DEFAULT_ADMIN_TOKEN),
  viewerToken: read('VIEWER_TOKEN', token, DEFAULT_VIEWER_TOKEN),
  defaultModel: read('DEFAULT_MODEL', modelId, 'gpt-4'),
  /** null: the simulated model answers. */
  upstreamBaseUrl: read('UPSTREAM_BASE_URL', httpUrl, null),
  upstreamApiKey: read('UPSTREAM_API_KEY', token, null),
  simulatedLatencyMs: read('SIMULATED_LATENCY_MS', integer(0, TEN_MINUTES_MS), 0),
  errorFormat: read('ERROR_FORMAT', oneOf('openai', 'flat'), 'openai' as const),
  maxBodyBytes: read('MAX_BODY_BYTES', integer(1, 1024 * MEBIBYTE), MEBIBYTE),
  corsOrigins: read('CORS_ORIGINS', origins, [] as readonly string[]),
  trustedProxies: read('TRUSTED_PROXIES', integer(0, 100), 0),
})

/** Everything that can be set, checked. Times in the unit of the name. */
export type Settings = ReturnType<typeof where> & ReturnType<typeof deciding> & ReturnType<typeof answering>

/** Settings of the contract whose features this version does not have: to ignore them would let more through than asked. */
const NOT_YET = ['UPSTREAMS_FILE']

export const isLoopback = (host: string): boolean => /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host)

const checkNames = (reader: SettingsReader, environment: Environment): void => {
  for (const name of Object.keys(environment)) {
    if (name.startsWith('ZAEL_')) reader.mistake(`${name} is no setting of zael`)
  }
  for (const name of NOT_YET.filter((known) => environment[known])) {
    reader.mistake(`${name} is not supported by this version`)
  }
}

/** What a limit in the table may be, a default may be: no rate that is taken for another. */
const checkDefaultLimits = (reader: SettingsReader, settings: Settings): void => {
  for (const limit of defaultLimits(settings)) {
    try {
      parseLimits([limitToJson(limit)], 'limits')
    } catch (error) {
      if (!(error instanceof ZaelError)) throw error
      const setting = limit.name === 'rpm' ? 'DEFAULT_RPM_LIMIT' : 'DEFAULT_TPM_LIMIT'
      const must = error.message.slice(`${error.field} must `.length)
      reader.mistake(`${setting} / RATE_LIMIT_WINDOW must ${must}`)
    }
  }
}

const checkTogether = (reader: SettingsReader, settings: Settings): void => {
  const { adminToken, viewerToken, host } = settings
  const hasDefaultToken = adminToken === DEFAULT_ADMIN_TOKEN || viewerToken === DEFAULT_VIEWER_TOKEN
  if (hasDefaultToken && !isLoopback(host)) {
    reader.mistake('HOST must be a loopback address while ADMIN_TOKEN or VIEWER_TOKEN is the default one')
  }
  if (settings.upstreamApiKey !== null && settings.upstreamBaseUrl === null) {
    reader.mistake('UPSTREAM_API_KEY needs UPSTREAM_BASE_URL')
  }
  checkDefaultLimits(reader, settings)
  if (adminToken === viewerToken) reader.mistake('VIEWER_TOKEN must differ from ADMIN_TOKEN')
  const ownEngine = settings.awsEndpointUrl === null
  if (ownEngine && settings.port !== 0 && settings.port === settings.dynamodbPort) {
    reader.mistake('DYNAMODB_PORT must differ from PORT')
  }
}

/** Reads and checks the environment. Throws `SettingsError`, which names every mistake. */
export const readSettings = (environment: Environment): Settings => {
  const reader = createSettingsReader(environment)
  const settings = { ...where(reader), ...deciding(reader), ...answering(reader) }
  checkNames(reader, environment)
  checkTogether(reader, settings)
  if (reader.mistakes().length > 0) throw new SettingsError(reader.mistakes())
  return settings
}
