import type * as v from 'valibot'
import { type AuthorizerOptions, authorizerOptions } from '../contract/authorizer.ts'
import { faultsOf, type LocatedFault, parse } from '../contract/parse.ts'
import { ZaelError } from '../core/model/errors.ts'
import { SettingsError } from './read-settings.ts'
import type { Environment } from './settings.ts'

export type { AuthorizerOptions }

/** The variable of the authorizer's Lambda that contains its options as JSON. */
export const AUTHORIZER_OPTIONS = 'AUTHORIZER_OPTIONS'

/** Reads the options of the authorizer. Throws `SettingsError` for JSON that does not describe any. */
export const readAuthorizerOptions = (environment: Environment): AuthorizerOptions => {
  const text = environment[AUTHORIZER_OPTIONS] || '{}'
  try {
    return parse(authorizerOptions, JSON.parse(text), AUTHORIZER_OPTIONS)
  } catch (error) {
    if (error instanceof ZaelError) throw new SettingsError([`${AUTHORIZER_OPTIONS}: ${error.message}`])
    throw new SettingsError([`${AUTHORIZER_OPTIONS} must be JSON`])
  }
}

/** The faults of options, to be found before they reach the Lambda. */
export const authorizerOptionFaults = (
  options: v.InferInput<typeof authorizerOptions>,
): readonly LocatedFault[] => faultsOf(authorizerOptions, options)
