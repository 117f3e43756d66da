import { expect, test } from 'vitest'
import { readSettings } from '../../../bin/settings/settings.ts'
import { SettingsError } from '../../../bin/settings/settings-reader.ts'

const mistakesOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes
    throw error
  }
  return []
}

test('is what the contract says where nothing is set', () => {
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
    storeDeadlineMs: 250,
    onUnavailable: 'deny',
    maxClockSkewMs: 5000,
    windowSeconds: 60,
    apiKeysFile: null,
    apiKeysJson: null,
    adminToken: 'dev-admin',
    viewerToken: 'dev-viewer',
    defaultModel: 'gpt-4',
    upstreamBaseUrl: null,
    upstreamApiKey: null,
    simulatedLatencyMs: 0,
    errorFormat: 'openai',
    maxBodyBytes: 1_048_576,
    corsOrigins: [],
    trustedProxies: 0,
  })
})

test('takes what is set, and an empty text as not set', () => {
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
  ['DEFAULT_RPM_LIMIT', '0', 'DEFAULT_RPM_LIMIT must be a whole number from 1 to 1000000000000'],
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
  ['ZAEL_PORT', '1', 'ZAEL_PORT is no setting of zael'],
  [
    'UPSTREAM_BASE_URL',
    'localhost:1',
    'UPSTREAM_BASE_URL must be a URL that begins with http:// or https://',
  ],
  ['UPSTREAM_API_KEY', 'sk-x', 'UPSTREAM_API_KEY needs UPSTREAM_BASE_URL'],
  ['UPSTREAMS_FILE', 'upstreams.yaml', 'UPSTREAMS_FILE is not supported by this version'],
])('refuses %s=%s', (name, value, sentence) => {
  expect(mistakesOf({ [name]: value })).toEqual([sentence])
})

test('refuses defaults that would be refused as limits', () => {
  const rate = 'lie between one token in 100 years and 1000000000 a second'
  expect(mistakesOf({ DEFAULT_TPM_LIMIT: '1000000000000' })).toEqual([
    `DEFAULT_TPM_LIMIT / RATE_LIMIT_WINDOW must ${rate}`,
  ])
  expect(mistakesOf({ DEFAULT_RPM_LIMIT: '700000000', RATE_LIMIT_WINDOW: '1' })).toEqual([
    'DEFAULT_RPM_LIMIT / RATE_LIMIT_WINDOW must be a rate that whole nanoseconds per token meet to 0.1 %',
  ])
  expect(mistakesOf({ DEFAULT_TPM_LIMIT: '1000000000000', RATE_LIMIT_WINDOW: '1000' })).toEqual([])
})

test('names every mistake at once', () => {
  expect(mistakesOf({ PORT: 'x', LOG_LEVEL: 'x', ZAEL_X: 'x' })).toHaveLength(3)
})

test.each(['0.0.0.0', '192.168.0.2', 'example.com', '127.evil.example'])(
  'refuses to listen on %s while a token is the default one',
  (host) => {
    const sentence = 'HOST must be a loopback address while ADMIN_TOKEN or VIEWER_TOKEN is the default one'
    expect(mistakesOf({ HOST: host })).toEqual([sentence])
    expect(mistakesOf({ HOST: host, ADMIN_TOKEN: 'a-secret' })).toEqual([sentence])
    expect(mistakesOf({ HOST: host, ADMIN_TOKEN: 'a-secret', VIEWER_TOKEN: 'another' })).toEqual([])
  },
)

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('listens on %s with the default tokens', (host) => {
  expect(mistakesOf({ HOST: host })).toEqual([])
})
