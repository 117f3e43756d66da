import type { SecretReference } from '../core/model/upstream.ts'
import type { Clock, Logger } from '../core/ports/platform.ts'
import { type SecretReader, SecretUnreadable } from '../core/ports/upstreams.ts'
import { createSecretValues, type SecretValues } from './secrets.ts'

/** Which secrets may be referenced, and what they must be. */
export interface SecretRules {
  /** Undefined: the text is no reference. */
  readonly parse: (text: string) => SecretReference | undefined
  /** The setting that lists the allowed ARNs. */
  readonly setting: string
  /** What is wrong with a value, completing "<reference> must …", without repeating it; undefined: nothing. */
  readonly faultOf?: (value: string) => string | undefined
}

export interface ReferencedSecretsOptions extends SecretRules {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The ARNs that may be referenced. */
  readonly allowedArns: readonly string[]
  /** The ARNs of zael's own tokens, which may not be referenced even if `allowedArns` contains them. */
  readonly ownArns: readonly string[]
  /** Reads a secret from Secrets Manager in a region. */
  readonly fetch: (arn: string, region: string) => Promise<string>
  readonly clock: Clock
  readonly logger: Logger
}

/** A secret that is replaced in Secrets Manager takes effect within this time. */
const MAX_AGE_MS = 300_000

/** A header transmits these characters unchanged. */
const KEY = /^[\x21-\x7e]{1,8192}$/

/** Referenced secrets, from the environment and from Secrets Manager. */
export const createReferencedSecrets = (options: ReferencedSecretsOptions): SecretReader => {
  const { environment, allowedArns, ownArns, parse, setting, faultOf = noFault } = options
  const allowed = new Set(allowedArns.filter((arn) => !ownArns.includes(arn)))
  const cached = new Map<string, SecretValues>()
  return {
    async read(text) {
      const reference = parse(text)
      if (reference === undefined) throw new SecretUnreadable('the reference of the secret is not valid')
      if (reference.kind === 'env') {
        const value = environment[reference.name]?.trim()
        if (!value) throw new SecretUnreadable(`${reference.name} is not set in the environment of zael`)
        return asKey(value, text, faultOf)
      }
      const { arn, region } = reference
      if (!allowed.has(arn)) throw new SecretUnreadable(`${arn} is not in ${setting}`)
      const values = cached.get(arn) ?? secretOf(arn, region, options)
      cached.set(arn, values)
      return asKey(await readOrReject(values, arn), text, faultOf)
    },
  }
}

const secretOf = (arn: string, region: string, { fetch, clock, logger }: ReferencedSecretsOptions) =>
  createSecretValues({
    ids: [arn],
    fetch: async (id) => (await fetch(id, region)).trim(),
    maxAgeMs: MAX_AGE_MS,
    clock,
    logger,
  })

const readOrReject = async (values: SecretValues, arn: string): Promise<string> => {
  try {
    const [value = ''] = await values.read()
    return value
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'no response'
    throw new SecretUnreadable(`${arn} cannot be read from Secrets Manager (${name})`, { cause })
  }
}

const noFault = (): undefined => undefined

const asKey = (value: string, reference: string, faultOf: NonNullable<SecretRules['faultOf']>): string => {
  if (value.startsWith('{')) throw new SecretUnreadable(`${reference} must contain the key itself, not JSON`)
  if (!KEY.test(value)) throw new SecretUnreadable(`${reference} must contain printable ASCII without spaces`)
  const must = faultOf(value)
  if (must !== undefined) throw new SecretUnreadable(`${reference} must ${must}`)
  return value
}
