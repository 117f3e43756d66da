import { parseLimits } from '../contract/limits.ts'
import { ZaelError } from '../core/model/errors.ts'
import { limitToJson } from '../core/model/json.ts'
import { type Limit, usualLimits } from '../core/model/limit.ts'
import { isLoopback } from '../platform/loopback.ts'
import { mistakenNames } from './mistaken-names.ts'
import {
  DEFAULT_ADMIN_TOKEN,
  DEFAULT_VIEWER_TOKEN,
  type Environment,
  SETTINGS,
  type Settings,
} from './settings.ts'
import { faultsIn, parseText, type TextSchema } from './text-schemas.ts'

/** The settings are not valid; the message names every mistake. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('; '))
    this.mistakes = mistakes
  }
}

/** Reads and checks the environment. Throws `SettingsError`, which names every mistake. */
export const readSettings = (environment: Environment): Settings => {
  const { settings, mistakes } = readAndCheck(environment)
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  return settings
}

/** The mistakes in the settings of an environment, one sentence each. */
export const settingMistakes = (environment: Environment): readonly string[] =>
  readAndCheck(environment).mistakes

const readAndCheck = (environment: Environment) => {
  const { settings, mistakes } = readValues(environment)
  return {
    settings,
    mistakes: [...mistakes, ...nameMistakes(environment), ...combinationMistakes(settings)],
  }
}

/** A value for each field of `SETTINGS`: its default if it is not set, empty or not valid. */
const readValues = (environment: Environment) => {
  const mistakes: string[] = []
  const readValue = ({ name, schema, defaultText }: AnySetting, given: string | undefined): unknown => {
    const text = given || defaultText
    if (text === null) return null
    const result = parseText(schema, text)
    if ('value' in result) return result.value
    mistakes.push(...faultsIn(schema, text).map(({ at, must }) => `${name}${at} must ${must}`))
    return readValue({ name, schema, defaultText }, undefined)
  }
  const fields = Object.entries(SETTINGS).map(([field, setting]) => [
    field,
    readValue(setting, environment[setting.name]),
  ])
  // every value comes from the schema of its field, from which `Settings` is derived
  return { settings: Object.fromEntries(fields) as Settings, mistakes }
}

interface AnySetting {
  readonly name: string
  readonly schema: TextSchema<unknown>
  readonly defaultText: string | null
}

const nameMistakes = (environment: Environment): readonly string[] => {
  const names = Object.values(SETTINGS).map(({ name }) => name)
  return mistakenNames(environment, names).map(
    ({ name, nearest }) => `${name} is not a setting of zael; the nearest one is ${nearest}`,
  )
}

const combinationMistakes = (settings: Settings): readonly string[] => {
  const { adminToken, viewerToken, host, port, dynamodbPort } = settings
  const isOwnEngine = settings.awsEndpointUrl === null
  return [
    ...(hasDefaultToken(settings) && !isLoopback(host)
      ? ['HOST must be a loopback address while ADMIN_TOKEN or VIEWER_TOKEN is the default one']
      : []),
    ...defaultLimitMistakes(settings),
    ...(adminToken === viewerToken ? ['VIEWER_TOKEN must differ from ADMIN_TOKEN'] : []),
    ...(isOwnEngine && port !== 0 && port === dynamodbPort ? ['DYNAMODB_PORT must differ from PORT'] : []),
  ]
}

/** Default limits obey the rules of limits in the table. */
const defaultLimitMistakes = (settings: Settings): readonly string[] =>
  defaultLimits(settings).flatMap((limit) => {
    try {
      parseLimits([limitToJson(limit)], 'limits')
      return []
    } catch (error) {
      if (!(error instanceof ZaelError)) throw error
      const setting = limit.name === 'rpm' ? 'DEFAULT_RPM_LIMIT' : 'DEFAULT_TPM_LIMIT'
      const must = error.message.slice(`${error.field} must `.length)
      return [`${setting} / RATE_LIMIT_WINDOW must ${must}`]
    }
  })

/** The limits of callers for which the table has none. */
export const defaultLimits = (settings: Settings): readonly Limit[] =>
  usualLimits({
    rpm: settings.defaultRpmLimit,
    tpm: settings.defaultTpmLimit,
    windowSeconds: settings.rateLimitWindowSeconds,
  })

/** Whether a token has its default value, which is public. */
export const hasDefaultToken = ({
  adminToken,
  viewerToken,
}: Pick<Settings, 'adminToken' | 'viewerToken'>): boolean =>
  adminToken === DEFAULT_ADMIN_TOKEN || viewerToken === DEFAULT_VIEWER_TOKEN
