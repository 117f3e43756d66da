import { Token } from 'aws-cdk-lib'
import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { settingMistakes } from '../src/settings/read-settings.ts'

/**
 * Where a stack goes. `aws`: guarded against loss, logged, streaming. `local`: an emulator; only what the free image of
 * LocalStack 4.14 can deploy, and everything goes away with the stack.
 */
export type Flavour = 'aws' | 'local'

/** What a construct needs to know of a table: the CDK's `Table`, `TableV2` and imported ones have it. */
export interface TableRef {
  readonly tableName: string
  readonly tableArn: string
  readonly encryptionKey?: IKey | undefined
}

/** What a construct needs to know of a secret. */
export interface SecretRef {
  readonly secretArn: string
  readonly encryptionKey?: IKey | undefined
}

/** Lets `grantee` read and write what a key of the user's own guards; AWS's own keys need no grant. */
export const grantKey = (key: IKey | undefined, grantee: IGrantable): void => {
  key?.grantEncryptDecrypt(grantee)
}

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
