import { Token } from 'aws-cdk-lib'
import { settingMistakes } from '../bin/settings/settings.ts'

/** Settings that a construct cannot take, and what to do instead. */
export interface RefusedSettings {
  readonly names: readonly string[]
  readonly instead: string
}

/**
 * Checks settings of zael's at synthesis rather than when the Lambda starts. Throws an error that names every mistake. A value
 * that is known at deployment only is not checked.
 */
export const checkEnvironment = (
  environment: Readonly<Record<string, string>> = {},
  refused: RefusedSettings = { names: [], instead: '' },
): void => {
  const late = Object.keys(environment).filter((name) => Token.isUnresolved(environment[name]))
  const known = Object.entries(environment).filter(([name]) => !late.includes(name))
  const mistakes = [
    ...refused.names
      .filter((name) => environment[name])
      .map((name) => `${name} cannot be set: ${refused.instead}`),
    // A mistake that names a late value may be none: one setting may need another.
    ...settingMistakes(Object.fromEntries(known)).filter((text) => !late.some((name) => text.includes(name))),
  ]
  if (mistakes.length > 0) throw new Error(`environment: ${mistakes.join('; ')}`)
}
