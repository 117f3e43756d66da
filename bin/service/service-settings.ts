import { createConsoleLogger } from '../../src/platform/console-logger.ts'
import { readSettings, SettingsError } from '../../src/settings/read-settings.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import { firstTokens, type TokenSource, tokensOf } from '../serve/tokens.ts'

/** Settings of the embedded DynamoDB, which a service does not have. */
const OF_THE_ENGINE = ['DATA_DIR', 'DYNAMODB_PORT']

export interface ServiceSettings {
  readonly settings: Settings
  /** Undefined: the tokens of the settings. */
  readonly tokens: TokenSource | undefined
}

/**
 * Reads the settings of a service, and its tokens if the environment names their secrets. A service has no defaults that are public or
 * would lead to another table. Throws `StartError` and `SettingsError`, which name every mistake.
 */
export const readServiceSettings = async (environment: Environment): Promise<ServiceSettings> => {
  const mistakes = [
    ...(environment.TABLE_NAME ? [] : ['TABLE_NAME must be set: the table that the service decides on']),
    ...OF_THE_ENGINE.filter((name) => environment[name]).map(
      (name) => `${name} cannot be set: a service has no DynamoDB of its own`,
    ),
  ]
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  const tokens = tokensOf(environment, createConsoleLogger('warn'))
  const read = tokens && (await firstTokens(tokens))
  const settings = readSettings({
    ...environment,
    // no engine listens on its default port
    DYNAMODB_PORT: '0',
    ...(read && { ADMIN_TOKEN: read.adminToken, VIEWER_TOKEN: read.viewerToken }),
  })
  return { settings, tokens }
}
