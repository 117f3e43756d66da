import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../src/platform/powertools.ts'
import { systemClock } from '../src/platform/runtime.ts'
import { createSecretValues } from '../src/platform/secret-values.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import { bufferedHandler, streamingHandler } from './handlers.ts'
import { createLambdaApi, finishResponses } from './lambda-api.ts'

const { ADMIN_TOKEN_SECRET_ARN = '', VIEWER_TOKEN_SECRET_ARN = '', RESPONSE_STREAMING } = process.env
const settings = readSettings(process.env)
const logger = createPowertoolsLogger('zael-api', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-api')
const zael = createLambdaApi({ settings, logger, metrics })

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

let current: { readonly of: readonly string[]; readonly app: ReturnType<typeof zael.api> } | undefined
/** The app that accepts the current tokens. */
const currentApp = async () => {
  const of = await tokens.read()
  const [adminToken = '', viewerToken = ''] = of
  if (current?.of !== of) current = { of, app: zael.api({ adminToken, viewerToken }) }
  return current.app
}

const finish = async (): Promise<void> => {
  await zael.flush()
  metrics.publish()
}

const app = finishResponses(currentApp, finish).onError((error, c) => {
  logger.error('the API is not ready', { error })
  return c.json({ error: 'unavailable', message: 'The API is not ready, try again' }, 503)
})

/** Lambda's own means to stream. Libraries make the global as well, without them. */
const canStream = typeof awslambda !== 'undefined' && typeof awslambda.streamifyResponse === 'function'

/** Streams where the API does (AWS), and there alone: emulators call handlers without the means to. */
export const handler =
  RESPONSE_STREAMING === 'true' && canStream ? streamingHandler(app) : bufferedHandler(app)
