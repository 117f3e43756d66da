import { isModelId, MODEL_ID_RULE } from '../core/model/entity.ts'
import { ZaelError } from '../core/model/errors.ts'
import { type Limit, usualLimits } from '../core/model/limit.ts'
import { limitToJson, parseLimits } from '../core/model/parse-limit.ts'
import { LOG_LEVELS } from '../platform/console-logger.ts'
import { isLoopback } from '../platform/loopback.ts'
import {
  flag,
  httpUrl,
  integer,
  Mistake,
  matching,
  oneOf,
  origins,
  orNone,
  type SettingKind,
  text,
} from './kinds.ts'
import { mistakenNames } from './mistaken-names.ts'
import {
  createSettingsReader,
  type Environment,
  optional,
  type Setting,
  SettingsError,
  type SettingsReader,
  setting,
} from './reader.ts'

const DEFAULT_ADMIN_TOKEN = 'dev-admin'

const DEFAULT_VIEWER_TOKEN = 'dev-viewer'

const HOUR_SECONDS = 3600

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

/** Every setting, by its field in `Settings`. `docs/settings.md` describes them; a test compares names and defaults. */
export const SETTINGS = {
  tableName: setting('TABLE_NAME', tableName, 'ZAEL-demo'),
  /** null: a DynamoDB of its own. */
  awsEndpointUrl: optional('AWS_ENDPOINT_URL', httpUrl),
  host: setting('HOST', text, '127.0.0.1'),
  port: setting('PORT', port, '8080'),
  dynamodbPort: setting('DYNAMODB_PORT', port, '8000'),
  /** null: in memory. */
  dataDir: optional('DATA_DIR', text),
  nodeId: optional('NODE_ID', nodeId),
  logLevel: setting('LOG_LEVEL', oneOf(...LOG_LEVELS), 'info'),

  rateLimitingEnabled: setting('RATE_LIMITING_ENABLED', flag, 'true'),
  bypassLimiter: setting('BYPASS_LIMITER', flag, '0'),
  /** null: no default. */
  defaultRpmLimit: setting('DEFAULT_RPM_LIMIT', orNone(integer(0, 1e12)), '60'),
  /** null: no default. */
  defaultTpmLimit: setting('DEFAULT_TPM_LIMIT', orNone(integer(0, 1e12)), '10000'),
  rateLimitWindowSeconds: setting('RATE_LIMIT_WINDOW', integer(1, 31 * DAY_SECONDS), '60'),
  configCacheSeconds: setting('CONFIG_CACHE_SECONDS', integer(0, DAY_SECONDS), '30'),
  /** 0: no leases. */
  leaseTtlMs: setting('LEASE_TTL_MS', integer(0, TEN_MINUTES_MS), '1000'),
  storeDeadlineMs: setting('STORE_DEADLINE_MS', integer(1, 60_000), '250'),
  onUnavailable: setting('ON_UNAVAILABLE', oneOf('allow', 'deny', 'local'), 'deny'),
  maxClockSkewMs: setting('MAX_CLOCK_SKEW_MS', integer(1, MOST_CLOCK_SKEW_MS), String(MOST_CLOCK_SKEW_MS)),
  windowSeconds: setting('WINDOW_SECONDS', integer(1, 31 * DAY_SECONDS), '60'),
  /** null: none. A path; what is in it is read when zael starts. */
  apiKeysFile: optional('API_KEYS_FILE', text),
  /** null: none. JSON, of the same shape as the file. */
  apiKeysJson: optional('API_KEYS_JSON', text),

  adminToken: setting('ADMIN_TOKEN', token, DEFAULT_ADMIN_TOKEN),
  viewerToken: setting('VIEWER_TOKEN', token, DEFAULT_VIEWER_TOKEN),
  defaultModel: setting('DEFAULT_MODEL', modelId, 'gpt-4'),
  /** null: the simulated model answers. */
  upstreamBaseUrl: optional('UPSTREAM_BASE_URL', httpUrl),
  upstreamApiKey: optional('UPSTREAM_API_KEY', token),
  simulatedLatencyMs: setting('SIMULATED_LATENCY_MS', integer(0, TEN_MINUTES_MS), '0'),
  errorFormat: setting('ERROR_FORMAT', oneOf('openai', 'flat'), 'openai'),
  maxBodyBytes: setting('MAX_BODY_BYTES', integer(1, 1024 * MEBIBYTE), String(MEBIBYTE)),
  keepAliveSeconds: setting('KEEP_ALIVE_SECONDS', integer(1, HOUR_SECONDS), '65'),
  corsOrigins: setting('CORS_ORIGINS', origins, ''),
  trustedProxies: setting('TRUSTED_PROXIES', integer(0, 100), '0'),
}

type ValueOf<S> = S extends Setting<infer T> ? T : never

/** The value of every setting, checked. Times in the unit of the name. */
export type Settings = { readonly [Field in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Field]> }

/** Settings of features that this version does not have: ignoring them would allow more than was asked for. */
export const UNSUPPORTED_SETTINGS = [
  'UPSTREAMS_FILE',
  'MAX_RETRY_SECONDS',
  'HEARTBEAT_SECONDS',
  'MAX_MODEL_BODY_BYTES',
  'JWT_ISSUERS',
  'SIMULATED_TOKENS_PER_SECOND',
]

/** Whether a token is one that everyone knows. */
export const hasDefaultToken = ({
  adminToken,
  viewerToken,
}: Pick<Settings, 'adminToken' | 'viewerToken'>): boolean =>
  adminToken === DEFAULT_ADMIN_TOKEN || viewerToken === DEFAULT_VIEWER_TOKEN

const settingNames = (): readonly string[] => Object.values(SETTINGS).map(({ name }) => name)

const checkNames = (reader: SettingsReader, environment: Environment): void => {
  for (const name of UNSUPPORTED_SETTINGS.filter((unsupported) => environment[unsupported])) {
    reader.mistake(`${name} is not supported by this version`)
  }
  const names = settingNames()
  for (const { name, nearest } of mistakenNames(environment, [...names, ...UNSUPPORTED_SETTINGS])) {
    reader.mistake(`${name} is not a setting of zael; the nearest one is ${nearest}`)
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
  if (hasDefaultToken(settings) && !isLoopback(host)) {
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

/** One value for each field of `SETTINGS`, of the type that its own kind gives. */
const readValues = (reader: SettingsReader): Settings =>
  Object.fromEntries(
    Object.entries(SETTINGS).map(([field, each]) => [field, reader.read<unknown>(each)]),
  ) as Settings

const readAndCheck = (environment: Environment) => {
  const reader = createSettingsReader(environment)
  const settings = readValues(reader)
  checkNames(reader, environment)
  checkTogether(reader, settings)
  return { settings, mistakes: reader.mistakes() }
}

/** What is wrong with the settings in an environment, one sentence each; empty: nothing. */
export const settingMistakes = (environment: Environment): readonly string[] =>
  readAndCheck(environment).mistakes

/** Reads and checks the environment. Throws `SettingsError`, which names every mistake. */
export const readSettings = (environment: Environment): Settings => {
  const { settings, mistakes } = readAndCheck(environment)
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return settings
}

/** The limits of callers for whom the table has none. */
export const defaultLimits = (settings: Settings): readonly Limit[] =>
  usualLimits({
    rpm: settings.defaultRpmLimit,
    tpm: settings.defaultTpmLimit,
    windowSeconds: settings.rateLimitWindowSeconds,
  })
