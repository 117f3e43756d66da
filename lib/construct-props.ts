import { Token } from 'aws-cdk-lib'
import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IConstruct } from 'constructs'
import { settingMistakes } from '../src/settings/read-settings.ts'

/**
 * The target of a stack. `aws`: protected against loss, with logs and streaming. `local`: an emulator; only resources that the
 * free image of LocalStack 4.14 can deploy, and all of them are removed with the stack.
 */
export type Flavour = 'aws' | 'local'

/**
 * STORE_DEADLINE_MS of a function that decides: its first call opens a connection with a share of a CPU. LocalStack writes items
 * of a table with a stream one after another.
 */
export const storeDeadlineMs = (flavour: Flavour = 'aws'): string => (flavour === 'aws' ? '1000' : '10000')

/** A secret. */
export interface SecretRef {
  readonly secretArn: string
  /** Undefined if the property is present: the secret was imported without the end of its ARN. */
  readonly secretFullArn?: string | undefined
  readonly encryptionKey?: IKey | undefined
}

/** The complete ARN of a secret: permissions and references name exactly one. Throws for a secret that was imported by name. */
export const secretArnOf = (secret: SecretRef): string => {
  if ('secretFullArn' in secret && secret.secretFullArn === undefined) {
    throw new Error(
      `the secret ${secret.secretArn} must be imported by its complete ARN, which ends in -AbCdEf`,
    )
  }
  return secret.secretArn
}

/** Secrets Manager ends the names of secrets in ARNs with a hyphen and six characters; permissions require them. */
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/

/** The ARNs of the secrets in a property. Throws for one that is not complete, and for secrets that hold zael's own tokens. */
export const secretArnsOf = (
  property: string,
  secrets: readonly (SecretRef | string)[],
  tokens: readonly SecretRef[] = [],
): readonly string[] => {
  const arns = secrets.map((secret) => {
    if (typeof secret !== 'string') return secretArnOf(secret)
    if (Token.isUnresolved(secret) || SECRET_ARN.test(secret)) return secret
    throw new Error(`${property} must be secrets or their complete ARNs, which end in -AbCdEf: ${secret}`)
  })
  const own = tokens.map(({ secretArn }) => secretArn)
  if (arns.some((arn) => own.includes(arn))) {
    throw new Error(`${property} must not contain the secrets of zael's own tokens`)
  }
  return arns
}

/** Conditions of a permission: the values by operator and key. */
export type Conditions = Record<string, Record<string, string | readonly string[]>>

/** The holder of permissions: a function of zael, or the tasks of a service. */
export interface AccessHolder extends IConstruct, IGrantable {
  /** Allows `actions` on exactly these resources. */
  allow(actions: readonly string[], resources: readonly string[], conditions?: Conditions): void
}

/** Lets a function or task read the secrets in a property. */
export const grantSecrets = (
  holder: AccessHolder,
  property: string,
  secrets: readonly (SecretRef | string)[] = [],
): void => {
  for (const secret of secrets) {
    holder.allow(['secretsmanager:GetSecretValue'], secretArnsOf(property, [secret]))
    if (typeof secret !== 'string') secret.encryptionKey?.grantDecrypt(holder)
  }
}

/** Settings that a construct does not accept, and the alternative. */
export interface RejectedSettings {
  readonly names: readonly string[]
  readonly instead: string
}

/**
 * Checks settings at synthesis, before the Lambda starts. Throws an error that names every mistake. Values that are resolved
 * at deployment are not checked.
 */
export const checkEnvironment = (
  environment: Readonly<Record<string, string>> = {},
  rejected: readonly RejectedSettings[] = [],
): void => {
  const late = Object.keys(environment).filter((name) => Token.isUnresolved(environment[name]))
  const known = Object.entries(environment).filter(([name]) => !late.includes(name))
  const mistakes = [
    ...rejected.flatMap(({ names, instead }) =>
      names.filter((name) => environment[name]).map((name) => `${name} cannot be set: ${instead}`),
    ),
    // Skip mistakes that involve unresolved values, as one setting may require another.
    ...settingMistakes(Object.fromEntries(known)).filter((text) => !late.some((name) => text.includes(name))),
  ]
  if (mistakes.length > 0) throw new Error(`environment: ${mistakes.join('; ')}`)
}
