import * as v from 'valibot'
import { openAiBaseUrlFault } from '../contract/base-url.ts'
import { parseTokenIssuers } from '../contract/token-issuers.ts'
import { regionOfTopic } from '../core/model/alert.ts'
import type { TokenIssuer } from '../core/model/token-issuer.ts'
import { parseSecretReference } from '../core/model/upstream.ts'
import { addressFault } from '../platform/jwt/address.ts'

/** Parses a value from a text. Its message completes the sentence "PORT must …". */
export type TextSchema<T> = v.GenericSchema<string, T>

/** The value of `text`, or the rule that it breaks: `be a whole number from 1 to 64`. */
export const parseText = <T>(
  schema: TextSchema<T>,
  text: string,
): { readonly value: T } | { readonly must: string } => {
  const result = v.safeParse(schema, text, { abortEarly: true, abortPipeEarly: true })
  return result.success ? { value: result.output } : { must: result.issues[0].message }
}

/** Every rule that `text` breaks, each with the part that breaks it: `[0].issuer`, or empty. */
export const faultsIn = (
  schema: TextSchema<unknown>,
  text: string,
): readonly { readonly at: string; readonly must: string }[] =>
  (v.safeParse(schema, text, { abortPipeEarly: true }).issues ?? []).map(({ path, message }) => ({
    at: pathText((path ?? []).map(({ key }) => String(key))),
    must: message,
  }))

const pathText = (path: readonly string[]): string =>
  path.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join('')

/** A whole number from `low` to `high`, both inclusive. */
export const wholeNumber = (low: number, high: number, must = `be a whole number from ${low} to ${high}`) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, must),
    v.transform(Number),
    v.minValue(low, must),
    v.maxValue(high, must),
  )

/** `none` (null) or a whole number. */
export const wholeNumberOrNone = (low: number, high: number) => {
  const must = `be none, or a whole number from ${low} to ${high}`
  const none = v.pipe(
    v.literal('none'),
    v.transform(() => null),
  )
  return v.union([none, wholeNumber(low, high, must)], must)
}

export const flag = v.pipe(
  v.picklist(['true', 'false', '1', '0'], 'be true or false (1 or 0)'),
  v.transform((text) => text === 'true' || text === '1'),
)

export const oneOf = <const T extends readonly string[]>(choices: T) =>
  v.picklist(choices, `be one of ${choices.join(', ')}`)

export const matching = (pattern: RegExp, must: string) => v.pipe(v.string(), v.regex(pattern, must))

/** Any text, unchanged. */
export const anyText = v.string()

export const httpUrl = v.pipe(
  v.string(),
  v.check(
    (text) => /^https?:$/.test(urlOf(text)?.protocol ?? ''),
    'be a URL that begins with http:// or https://',
  ),
  v.check((text) => {
    const { username, password } = urlOf(text) ?? {}
    return !username && !password
  }, 'contain no user name or password: errors and logs contain the URL'),
)

/** The base URL of an OpenAI-compatible upstream. */
export const upstreamUrl = v.pipe(
  v.string(),
  v.rawCheck<string>(({ dataset, addIssue }) => {
    const message = dataset.typed ? openAiBaseUrlFault(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
)

/** Texts separated by commas, each of which passes. Empty: none. */
const listOf = (passes: (text: string) => boolean, must: string) =>
  v.pipe(
    v.string(),
    v.transform((text): readonly string[] => (text === '' ? [] : text.split(',').map((each) => each.trim()))),
    v.check((listed) => listed.every(passes), must),
  )

/** ARNs of secrets in Secrets Manager. */
export const secretArns = listOf(
  (arn) => parseSecretReference(arn)?.kind === 'arn',
  'be ARNs of secrets in Secrets Manager, with commas between them',
)

/** ARNs of topics of SNS. */
export const topicArns = listOf(
  (arn) => regionOfTopic(arn) !== undefined,
  'be ARNs of standard topics of SNS, with commas between them',
)

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

/** Origins separated by commas, or `*`: any. Empty: none. */
export const origins = listOf(
  (origin) => origin === '*' || urlOf(origin)?.origin === origin,
  'be origins such as https://example.com, with commas between them',
)

/** JSON of issuers of tokens. Empty: none. Every fault is an issue at its field. */
export const tokenIssuers = v.pipe(
  v.string(),
  v.rawTransform<string, readonly TokenIssuer[]>(({ dataset, addIssue, NEVER }) => {
    const parsed = parseTokenIssuers(jsonIn(dataset.value), addressFault)
    if ('issuers' in parsed) return parsed.issuers
    for (const { path, must } of parsed.faults) {
      const [first, ...rest] = path.map((key) => ({
        ...({ type: 'unknown', origin: 'value' } as const),
        ...{ input: undefined, key, value: undefined },
      }))
      addIssue({ message: must, path: first && [first, ...rest] })
    }
    return NEVER
  }),
)

/** Undefined, which is no list, if it is no JSON. */
const jsonIn = (text: string): unknown => {
  try {
    return text === '' ? [] : JSON.parse(text)
  } catch {
    return undefined
  }
}
