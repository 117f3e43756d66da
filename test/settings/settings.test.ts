import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { defaultLimits, readSettings, SettingsError } from '../../src/settings/read-settings.ts'
import { SETTINGS } from '../../src/settings/settings.ts'

const mistakesOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes
    throw error
  }
  return []
}

test('every setting has a default', () => {
  expect(readSettings({})).toEqual({
    tableName: 'ZAEL-demo',
    awsEndpointUrl: null,
    host: '127.0.0.1',
    port: 8080,
    dynamodbPort: 8000,
    dataDir: null,
    nodeId: null,
    logLevel: 'info',
    rateLimitingEnabled: true,
    bypassLimiter: false,
    defaultRpmLimit: 60,
    defaultTpmLimit: 10_000,
    rateLimitWindowSeconds: 60,
    configCacheSeconds: 30,
    leaseTtlMs: 1000,
    stopGraceSeconds: 7,
    storeDeadlineMs: 250,
    onUnavailable: 'deny',
    maxClockSkewMs: 5000,
    windowSeconds: 60,
    apiKeysFile: null,
    apiKeysJson: null,
    adminToken: 'dev-admin',
    viewerToken: 'dev-viewer',
    jwtIssuers: [],
    defaultModel: 'gpt-4',
    upstreamBaseUrl: null,
    upstreamApiKey: null,
    upstreamAllowedSecretArns: [],
    alertAllowedSecretArns: [],
    alertTopicArns: [],
    alertWebhookAddresses: 'public',
    upstreamsFile: null,
    maxRetrySeconds: 60,
    heartbeatSeconds: 15,
    simulatedTokensPerSecond: null,
    simulatedLatencyMs: 0,
    errorFormat: 'openai',
    maxBodyBytes: 1_048_576,
    maxModelBodyBytes: 33_554_432,
    keepAliveSeconds: 65,
    corsOrigins: [],
    trustedProxies: 0,
  })
})

test('set values are used, and an empty text counts as not set', () => {
  const settings = readSettings({
    PORT: '9000',
    RATE_LIMITING_ENABLED: 'false',
    BYPASS_LIMITER: '1',
    CORS_ORIGINS: 'https://a.example, http://localhost:3000',
    ON_UNAVAILABLE: 'local',
    NODE_ID: '',
    DATA_DIR: '/tmp/zael',
  })
  expect(settings).toMatchObject({
    port: 9000,
    rateLimitingEnabled: false,
    bypassLimiter: true,
    corsOrigins: ['https://a.example', 'http://localhost:3000'],
    onUnavailable: 'local',
    nodeId: null,
    dataDir: '/tmp/zael',
  })
})

test.each([
  ['AWS_ENDPOINT_URL', 'http://user:s3cret@localhost:8000'],
  ['AWS_ENDPOINT_URL', 'http://s3cret@localhost:8000'],
  ['UPSTREAM_BASE_URL', 'https://user:s3cret@example.com/v1'],
  ['UPSTREAM_BASE_URL', 'https://:s3cret@example.com/v1'],
])('credentials in %s are rejected without repeating any part of %s', (name, value) => {
  expect(mistakesOf({ [name]: value })).toEqual([
    `${name} must contain no user name or password: errors and logs contain the URL`,
  ])
})

test.each([
  ['PORT', '65536', 'PORT must be a whole number from 0 to 65535'],
  ['PORT', '80.5', 'PORT must be a whole number from 0 to 65535'],
  ['DYNAMODB_PORT', '-1', 'DYNAMODB_PORT must be a whole number from 0 to 65535'],
  ['TABLE_NAME', 'a b', 'TABLE_NAME must be 3 to 255 of A-Z a-z 0-9 _ . -'],
  [
    'AWS_ENDPOINT_URL',
    'localhost:8000',
    'AWS_ENDPOINT_URL must be a URL that begins with http:// or https://',
  ],
  ['RATE_LIMITING_ENABLED', 'yes', 'RATE_LIMITING_ENABLED must be true or false (1 or 0)'],
  ['DEFAULT_RPM_LIMIT', '-1', 'DEFAULT_RPM_LIMIT must be none, or a whole number from 0 to 1000000000000'],
  ['ON_UNAVAILABLE', 'shrug', 'ON_UNAVAILABLE must be one of allow, deny, local'],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of debug, info, warn, error, silent'],
  [
    'CORS_ORIGINS',
    'example.com',
    'CORS_ORIGINS must be origins such as https://example.com, with commas between them',
  ],
  ['ADMIN_TOKEN', 'two words', 'ADMIN_TOKEN must be printable ASCII without spaces'],
  ['ADMIN_TOKEN', 'dev-viewer', 'VIEWER_TOKEN must differ from ADMIN_TOKEN'],
  ['PORT', '8000', 'DYNAMODB_PORT must differ from PORT'],
  ['MAX_RETRY_SECONDS', '-1', 'MAX_RETRY_SECONDS must be a whole number from 0 to 86400'],
  ['HEARTBEAT_SECONDS', '0', 'HEARTBEAT_SECONDS must be a whole number from 1 to 3600'],
  ['MAX_MODEL_BODY_BYTES', '0', 'MAX_MODEL_BODY_BYTES must be a whole number from 1 to 1073741824'],
  [
    'SIMULATED_TOKENS_PER_SECOND',
    '0',
    'SIMULATED_TOKENS_PER_SECOND must be a whole number from 1 to 1000000',
  ],
  ['KEEP_ALIVE_SECONDS', '0', 'KEEP_ALIVE_SECONDS must be a whole number from 1 to 3600'],
  [
    'UPSTREAM_BASE_URL',
    'localhost:1',
    'UPSTREAM_BASE_URL must be a URL that begins with http:// or https://',
  ],
  ['UPSTREAM_BASE_URL', 'https://api.openai.com/v1?key=s3cret', 'UPSTREAM_BASE_URL must contain no query'],
  ['UPSTREAM_BASE_URL', 'https://api.openai.com/v1#a', 'UPSTREAM_BASE_URL must contain no fragment'],
  [
    'UPSTREAM_BASE_URL',
    'https://api.openai.com/v1/chat/completions/',
    'UPSTREAM_BASE_URL must not end with a route such as /chat/completions: zael appends it',
  ],
  [
    'UPSTREAM_BASE_URL',
    'http://localhost:8000',
    'UPSTREAM_BASE_URL must include the path of the API, which is /v1 at OpenAI and most compatible servers (end it with / if there is none)',
  ],
  [
    'UPSTREAM_ALLOWED_SECRET_ARNS',
    'arn:aws:s3:::bucket',
    'UPSTREAM_ALLOWED_SECRET_ARNS must be ARNs of secrets in Secrets Manager, with commas between them',
  ],
  [
    'ALERT_ALLOWED_SECRET_ARNS',
    'env:ALERT_SECRET_OPS',
    'ALERT_ALLOWED_SECRET_ARNS must be ARNs of secrets in Secrets Manager, with commas between them',
  ],
  [
    'ALERT_TOPIC_ARNS',
    'arn:aws:sns:eu-central-1:123456789012:alerts.fifo',
    'ALERT_TOPIC_ARNS must be ARNs of standard topics of SNS, with commas between them',
  ],
  ['ALERT_WEBHOOK_ADDRESSES', 'any', 'ALERT_WEBHOOK_ADDRESSES must be one of public, loopback, private'],
])('%s=%s is rejected', (name, value, sentence) => {
  expect(mistakesOf({ [name]: value })).toEqual([sentence])
})

test.each([
  ['ZAEL_PORT', 'PORT'],
  ['ZAEL_URLS', 'HOST'],
  ['UPSTREAM_TIMEOUT', 'UPSTREAM_BASE_URL'],
  ['UPSTREAM_BASE', 'UPSTREAM_BASE_URL'],
  ['LEASE_TTL', 'LEASE_TTL_MS'],
  ['STORE_DEADLINE', 'STORE_DEADLINE_MS'],
  ['SIMULATED_LATENCY', 'SIMULATED_LATENCY_MS'],
  ['JWT_ISSUER', 'JWT_ISSUERS'],
  ['UPSTREAM_SECRETS', 'UPSTREAMS_FILE'],
  // one edit from a setting: a letter added, removed, replaced, or two swapped
  ['LOG_LEVELS', 'LOG_LEVEL'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['TABLE_NAMW', 'TABLE_NAME'],
  ['DEFAULT_RMP_LIMIT', 'DEFAULT_RPM_LIMIT'],
  ['TABLE_NAEM', 'TABLE_NAME'],
  ['ATBLE_NAME', 'TABLE_NAME'],
  ['ABLE_NAME', 'TABLE_NAME'],
  ['TTABLE_NAME', 'TABLE_NAME'],
  ['TABLE_NAMES', 'TABLE_NAME'],
  ['TABEL_NAMES', undefined],
  ['TABEL_MANE', undefined],
  ['TRUSTED_PROXY', undefined],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
])('%s is rejected, and the error names %s', (name, nearest) => {
  const sentence = `${name} is not a setting of zael; the nearest one is ${nearest}`
  expect(mistakesOf({ [name]: '1' })).toEqual(nearest === undefined ? [] : [sentence])
})

test('the variables of other programs are accepted', () => {
  const npm = ['npm_config_loglevel', 'npm_package_name', 'npm_lifecycle_event', 'INIT_CWD', 'NODE']
  const lambda = [
    ...['AWS_LAMBDA_LOG_LEVEL', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION', '_HANDLER'],
    ...['LAMBDA_TASK_ROOT', 'AWS_LAMBDA_RUNTIME_API', 'AWS_SESSION_TOKEN', '_X_AMZN_TRACE_ID', 'TZ'],
    ...['AWS_ENDPOINT_URL_DYNAMODB', 'POWERTOOLS_LOG_LEVEL', 'POWERTOOLS_SERVICE_NAME'],
  ]
  const ours = [
    'ADMIN_TOKEN_SECRET_ARN',
    'VIEWER_TOKEN_SECRET_ARN',
    'UPSTREAM_API_KEY',
    'RESPONSE_STREAMING',
    'UPSTREAM_SECRET_A',
    // of the command line
    'ZAEL_URL',
    'ZAEL_TOKEN',
  ]
  const short = ['HOSTS', 'PORTS', 'DATA_DIRS', 'NODE_IDS', 'HOSTNAME', 'LOCALSTACK_HOSTNAME']
  const names = [...npm, ...lambda, ...ours, ...short]
  expect(mistakesOf(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([])
})

test('a default limit of none is no limit', () => {
  const settings = readSettings({ DEFAULT_TPM_LIMIT: 'none' })
  expect(defaultLimits(settings).map(({ name }) => name)).toEqual(['rpm'])
  expect(defaultLimits(readSettings({ DEFAULT_RPM_LIMIT: 'none', DEFAULT_TPM_LIMIT: 'none' }))).toEqual([])
})

test('defaults that are invalid as limits are rejected', () => {
  const rate = 'lie between one token in 100 years and 1000000000 a second'
  expect(mistakesOf({ DEFAULT_TPM_LIMIT: '1000000000000' })).toEqual([
    `DEFAULT_TPM_LIMIT / RATE_LIMIT_WINDOW must ${rate}`,
  ])
  expect(mistakesOf({ DEFAULT_RPM_LIMIT: '700000000', RATE_LIMIT_WINDOW: '1' })).toEqual([
    'DEFAULT_RPM_LIMIT / RATE_LIMIT_WINDOW must be a rate that whole nanoseconds per token meet to 0.1 %',
  ])
  expect(mistakesOf({ DEFAULT_TPM_LIMIT: '1000000000000', RATE_LIMIT_WINDOW: '1000' })).toEqual([])
})

test('the error names every invalid setting at once', () => {
  expect(mistakesOf({ PORT: 'x', LOG_LEVEL: 'x', ZAEL_X: 'x' })).toHaveLength(3)
})

test.each(['0.0.0.0', '192.168.0.2', 'example.com', '127.evil.example'])(
  '%s is rejected as HOST while a token is the default one',
  (host) => {
    const sentence = 'HOST must be a loopback address while ADMIN_TOKEN or VIEWER_TOKEN is the default one'
    expect(mistakesOf({ HOST: host })).toEqual([sentence])
    expect(mistakesOf({ HOST: host, ADMIN_TOKEN: 'a-secret' })).toEqual([sentence])
    expect(mistakesOf({ HOST: host, ADMIN_TOKEN: 'a-secret', VIEWER_TOKEN: 'another' })).toEqual([])
  },
)

test.each(['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST', 'api.localhost', '::1'])(
  '%s is accepted as HOST with the default tokens',
  (host) => {
    expect(mistakesOf({ HOST: host })).toEqual([])
  },
)

const docs = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8')

const codes = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

/**
 * Name and default of every setting in the tables, which list other things as well. A dash is no default; one default may
 * stand for all names.
 */
const documented = docs
  .split('\n')
  .filter((line) => /^\| `[A-Z][A-Z0-9_]+`/.test(line))
  .flatMap((line) => {
    const [, names, defaults] = line.split('|')
    const values = codes(defaults)
    return codes(names).map((name, index) => [name, values[index] ?? null] as const)
  })

test('docs/settings.md lists every setting with its default', () => {
  const actual = Object.values(SETTINGS).map(({ name, defaultText }) => [name, defaultText || null] as const)
  expect(new Map(documented)).toEqual(new Map(actual))
  expect(documented).toHaveLength(actual.length)
})

const ISSUER = { name: 'corp', issuer: 'https://login.example.com', audience: 'api://zael' }

test('issuers of tokens have defaults', () => {
  const other = {
    ...ISSUER,
    name: 'dev',
    issuer: 'http://localhost:9000/',
    audience: ['a', 'b'],
    role_claim: 'r',
  }
  expect(readSettings({ JWT_ISSUERS: JSON.stringify([ISSUER, other]) }).jwtIssuers).toEqual([
    {
      ...{
        name: 'corp',
        issuer: 'https://login.example.com',
        audiences: ['api://zael'],
        audienceClaim: 'aud',
      },
      ...{ jwksUri: null, entityClaim: 'sub', tenantClaim: null, roleClaim: null, userClaim: null },
    },
    expect.objectContaining({
      name: 'dev',
      issuer: 'http://localhost:9000/',
      audiences: ['a', 'b'],
      roleClaim: 'r',
    }),
  ])
  const named = { ...ISSUER, issuer: 'corp', jwks_uri: 'https://keys.example.com/keys' }
  expect(mistakesOf({ JWT_ISSUERS: JSON.stringify([named]) })).toEqual([])
})

const NO_ADDRESS = 'be a URL that begins with https://; http:// is accepted for a loopback address only'

test.each([
  ['corp', [' must be a list of issuers: [{"name": …, "issuer": …, "audience": …}]']],
  ['{}', [' must be a list of issuers: [{"name": …, "issuer": …, "audience": …}]']],
  ['["corp"]', ['[0] must be {"name": …, "issuer": …, "audience": …}']],
  [
    [{}],
    [
      '[0].name must be 1 to 32 of A-Z a-z 0-9 . _ @ - and begin with a letter or digit',
      '[0].issuer must be a text',
      '[0].audience must be the audience of the tokens, a text or a list of 1 to 20 texts',
    ],
  ],
  [
    [ISSUER, { ...ISSUER, name: 'a:b', audience: [], role: 'x', entity_claim: '' }],
    [
      '[1].role must not be given: it is not known',
      '[1].name must be 1 to 32 of A-Z a-z 0-9 . _ @ - and begin with a letter or digit',
      '[1].audience must be the audience of the tokens, a text or a list of 1 to 20 texts',
      '[1].entity_claim must be the name of a claim, 1 to 256 characters long',
    ],
  ],
  [
    [{ ...ISSUER, issuer: 'http://login.example.com' }],
    [`[0].issuer must ${NO_ADDRESS}, if jwks_uri is not given`],
  ],
  [
    [{ name: 'corp', issuer: 'x' }],
    [
      '[0].audience must be the audience of the tokens, a text or a list of 1 to 20 texts',
      `[0].issuer must ${NO_ADDRESS}, if jwks_uri is not given`,
    ],
  ],
  [[{ ...ISSUER, jwks_uri: 'ftp://keys' }], [`[0].jwks_uri must ${NO_ADDRESS}`]],
  [
    [{ ...ISSUER, jwks_uri: 'https://a:b@keys.example' }],
    ['[0].jwks_uri must contain no user name or password'],
  ],
  [
    [ISSUER, ISSUER],
    [
      '[1].name must differ from the names of other issuers',
      '[1].audience must differ from those of other entries of the same issuer',
    ],
  ],
  [Array(21).fill(ISSUER), [' must contain at most 20 issuers']],
])('JWT_ISSUERS=%j is rejected, every mistake at its field', (value, mistakes) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  expect(mistakesOf({ JWT_ISSUERS: text })).toEqual(mistakes.map((mistake) => `JWT_ISSUERS${mistake}`))
})
