import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { readSettings } from '../bin/settings/settings.ts'
import { createPowertoolsLogger } from '../src/platform/powertools-logger.ts'
import { createPowertoolsMetrics } from '../src/platform/powertools-metrics.ts'
import { createSecretValues } from '../src/platform/secret-values.ts'
import { systemClock } from '../src/platform/system-clock.ts'
import { createApi } from './create-api.ts'
import { finishAnswers } from './finish-answers.ts'
import { bufferedHandler, streamingHandler } from './handlers.ts'

const { ADMIN_TOKEN_SECRET_ARN = '', VIEWER_TOKEN_SECRET_ARN = '', RESPONSE_STREAMING } = process.env
const settings = readSettings(process.env)
const logger = createPowertoolsLogger('zael-api', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-api')
const { limiter, appFor } = createApi({ settings, logger, metrics })

const secretsManager = new SecretsManagerClient()
const tokens = createSecretValues({
  ids: [ADMIN_TOKEN_SECRET_ARN, VIEWER_TOKEN_SECRET_ARN],
  async fetch(id) {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: id }))
    if (!SecretString) throw new Error(`${id} holds no text`)
    return SecretString
  },
  maxAgeMs: 300_000,
  clock: systemClock,
  logger,
})

let current: { readonly of: readonly string[]; readonly app: ReturnType<typeof appFor> } | undefined
const appNow = async () => {
  const of = await tokens.read()
  const [adminToken = '', viewerToken = ''] = of
  if (current?.of !== of) current = { of, app: appFor(adminToken, viewerToken) }
  return current.app
}

const finish = async (): Promise<void> => {
  await limiter.flush().catch((error: unknown) => logger.error('use was not counted', { error }))
  metrics.publish()
}

const app = finishAnswers(appNow, finish).onError((error, c) => {
  logger.error('the API is not ready', { error })
  return c.json({ error: 'unavailable', message: 'The API is not ready, try again' }, 503)
})

/** Lambda's own means to stream. Libraries make the global as well, without them. */
const canStream = typeof awslambda !== 'undefined' && typeof awslambda.streamifyResponse === 'function'

/** Streams where the API does (AWS), and there alone: emulators call handlers without the means to. */
export const handler =
  RESPONSE_STREAMING === 'true' && canStream ? streamingHandler(app) : bufferedHandler(app)
