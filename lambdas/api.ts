import { createPowertoolsLogger, createPowertoolsMetrics } from '../src/platform/powertools.ts'
import { systemClock } from '../src/platform/runtime.ts'
import { createSecretValues } from '../src/platform/secrets.ts'
import { traceToSources } from '../src/platform/source-maps.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import { bufferedHandler, type Fetching, streamingHandler } from './handlers.ts'
import { createInvocations, servesManyAtATime, settingsOfThread } from './invocations.ts'
import { createLambdaApi, finishResponses } from './lambda-api.ts'

traceToSources()
const { ADMIN_TOKEN_SECRET_ARN = '', VIEWER_TOKEN_SECRET_ARN = '', RESPONSE_STREAMING } = process.env
const settings = readSettings(process.env)
const logger = createPowertoolsLogger('zael-api', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-api')

const isShared = servesManyAtATime(process.env)
const { run, remainingMs } = createInvocations()

const zael = createLambdaApi({
  settings: isShared ? settingsOfThread(settings) : settings,
  logger,
  metrics,
  remainingMs,
  isShared,
})
if (isShared) zael.start()

const tokens = createSecretValues({
  ids: [ADMIN_TOKEN_SECRET_ARN, VIEWER_TOKEN_SECRET_ARN],
  async fetch(id) {
    const { readSecret } = await import('../src/platform/read-secret.ts')
    return readSecret(id)
  },
  maxAgeMs: 300_000,
  clock: systemClock,
  logger,
})

let current: { readonly of: readonly string[]; readonly app: Fetching } | undefined
/** The app that accepts the current tokens. */
const currentApp = async () => {
  const of = await tokens.read()
  const [adminToken = '', viewerToken = ''] = of
  if (current?.of !== of) current = { of, app: zael.api({ adminToken, viewerToken }).app }
  return current.app
}

/** A frozen environment writes counts before it responds; another one four times a second, whatever requests do. */
const finish = async (): Promise<void> => {
  if (!isShared) await zael.flush()
  metrics.publish()
}

const app = finishResponses(currentApp, finish).onError((error, c) => {
  logger.error('the API is not ready', { error })
  return c.json({ error: 'unavailable', message: 'The API is not ready, try again' }, 503)
})

/** Libraries define the global too, without `streamifyResponse`. */
const canStream = typeof awslambda !== 'undefined' && typeof awslambda.streamifyResponse === 'function'

/** Streams if the API does (on AWS): emulators do not support it. */
export const handler =
  RESPONSE_STREAMING === 'true' && canStream ? streamingHandler(app, run) : bufferedHandler(app, run)
