import { composeAuthorizer } from '../src/compose/authorizer.ts'
import { connectToAws } from '../src/compose/connect.ts'
import { ZaelError } from '../src/core/model/errors.ts'
import type { AuthorizerResponse } from '../src/http/authorizer/authorize.ts'
import type { AuthorizerEvent } from '../src/http/authorizer/authorizer-event.ts'
import { createPowertoolsLogger, createPowertoolsMetrics } from '../src/platform/powertools.ts'
import { traceToSources } from '../src/platform/source-maps.ts'
import { readAuthorizerOptions } from '../src/settings/authorizer-options.ts'
import { readSettings } from '../src/settings/read-settings.ts'
import { smallCaches } from './small-caches.ts'

traceToSources()
const settings = readSettings(process.env)
const options = readAuthorizerOptions(process.env)
const logger = createPowertoolsLogger('zael-authorizer', settings.logLevel)
const metrics = createPowertoolsMetrics('zael-authorizer')
const authorizer = composeAuthorizer(settings, {
  connect: connectToAws,
  caches: smallCaches,
  ...{ options, logger, metrics },
})

/**
 * API Gateway responds with 401 to an error with exactly this message, and with 500 to any other. Without a stack: Lambda logs
 * it with every such request.
 */
const unauthorized = (): Error => Object.assign(new Error('Unauthorized'), { stack: 'Error: Unauthorized' })

/** Nothing runs after the response, so what is to be counted is written before it. */
export const handler = async (event: AuthorizerEvent): Promise<AuthorizerResponse> => {
  try {
    return await authorizer.authorize(event)
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'unauthorized') throw unauthorized()
    logger.error('request not authorized', { error })
    throw error
  } finally {
    await authorizer.flush()
    metrics.publish()
  }
}
