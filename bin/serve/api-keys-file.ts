import { readFile } from 'node:fs/promises'
import { reasonOf, StartError } from '../../src/command-line/failure.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import { ID_RULE, isId } from '../../src/core/model/entity.ts'
import { isSecret, masked, secretRule } from '../../src/core/model/key.ts'
import { type Limit, MAX_SLOTS } from '../../src/core/model/limit.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { isLoopback } from '../../src/platform/loopback.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import type { Settings } from '../../src/settings/settings.ts'

/** The fields of a key. The numbers are the limits per window. */
export interface KeyEntry {
  readonly id?: string
  readonly name?: string
  readonly request_per_minute?: number
  readonly input_tokens_per_minute?: number
  readonly output_tokens_per_minute?: number
}

/** Entries by the key's secret, and the errors of the document, which contain no secret. */
export interface KeyEntries {
  readonly entries: ReadonlyMap<string, KeyEntry>
  readonly mistakes: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

type Reject = (field: string, must: string) => void

type Read = (value: unknown, field: string, reject: Reject) => KeyEntry

const LONGEST_NAME = 256

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const amount =
  (name: 'request_per_minute' | 'input_tokens_per_minute' | 'output_tokens_per_minute'): Read =>
  (value, field, reject) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return { [name]: value }
    reject(field, `be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`)
    return {}
  }

const READERS: Readonly<Record<keyof KeyEntry, Read>> = {
  id(value, field, reject) {
    if (typeof value === 'string' && isId(value)) return { id: value }
    reject(field, ID_RULE)
    return {}
  },
  name(value, field, reject) {
    if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME) return { name: value }
    reject(field, `be 1 to ${LONGEST_NAME} characters long`)
    return {}
  },
  request_per_minute: amount('request_per_minute'),
  input_tokens_per_minute: amount('input_tokens_per_minute'),
  output_tokens_per_minute: amount('output_tokens_per_minute'),
}

const isField = (name: string): name is keyof KeyEntry => Object.hasOwn(READERS, name)

const readEntry = (entry: unknown, reject: Reject): KeyEntry => {
  if (!isFields(entry)) {
    reject('', 'be an object')
    return {}
  }
  let fields: KeyEntry = {}
  for (const [name, value] of Object.entries(entry)) {
    if (isField(name)) fields = { ...fields, ...READERS[name](value, `.${name}`, reject) }
    else reject(`.${name}`, `not be given; known fields are ${Object.keys(READERS).join(', ')}`)
  }
  return fields
}

/** Validates `{keys: {<secret>: {…}}}`; `setting` is the name of the setting that contains it. */
export const parseKeyEntries = (document: unknown, setting: string): KeyEntries => {
  if (!isFields(document) || !isFields(document.keys)) {
    return {
      entries: new Map(),
      mistakes: [`${setting} must be {keys: {<key>: {request_per_minute: <number>, …}}}`],
    }
  }
  const mistakes: string[] = Object.keys(document)
    .filter((field) => field !== 'keys')
    .map((field) => `${setting} ${field} is unknown: the only field is keys`)
  const entries = Object.entries(document.keys).map(([secret, entry], index) => {
    // several keys may have the same prefix, so the message includes the number of the key
    const path = `${setting} keys.${masked(secret)}`
    const reject: Reject = (field, must) => mistakes.push(`${path}${field} (key ${index + 1}) must ${must}`)
    if (!isSecret(secret, 1)) reject('', secretRule(1))
    return [secret, readEntry(entry, reject)] as const
  })
  return { entries: new Map(entries), mistakes }
}

/** The public keys of the sample file, which name their own entities, as those of the demo data do. */
const PUBLISHED = ['sk-test-tier-a', 'sk-test-tier-b']

const HASH_LENGTH = 8

export const isPublished = (secret: string): boolean => PUBLISHED.includes(secret)

/**
 * The entity of a key in a file: the one named by its `id`, else one named by the prefix of the key's hash. The key
 * itself would appear in the table, in logs and in responses.
 */
export const entityIdOf = (secret: string, id: string | undefined): string =>
  id ?? (isPublished(secret) ? secret : `file-${randomSecrets.hash(secret).slice(0, HASH_LENGTH)}`)

const LEAST_SLOTS = 2

/** Windows of `windowSeconds`, in slots of one second, or of a sixtieth of the window if that is longer. */
export const windowLimits = (entry: KeyEntry, windowSeconds: number): readonly Limit[] => {
  const slots = Math.max(LEAST_SLOTS, Math.min(MAX_SLOTS, windowSeconds))
  const sizes = [
    ['rpm', entry.request_per_minute],
    ['itpm', entry.input_tokens_per_minute],
    ['otpm', entry.output_tokens_per_minute],
  ] as const
  const limits = sizes.flatMap(([name, limit]) =>
    limit === undefined
      ? []
      : [{ name, algorithm: 'sliding_window', limit, window_seconds: windowSeconds, slots }],
  )
  return parseLimits(limits, 'limits')
}

/** A key of API_KEYS_FILE or API_KEYS_JSON. */
export interface FileKey extends KeyEntry {
  readonly secret: string
  readonly entityId: string
}

const NONE: KeyEntries = { entries: new Map(), mistakes: [] }

/** The parser's own message is not printed: it may quote the text around an error, including keys. */
const parsed = (parse: () => unknown, mustBe: (error: unknown) => string): unknown => {
  try {
    return parse()
  } catch (error) {
    throw new StartError(mustBe(error))
  }
}

const fromFile = async (path: string): Promise<KeyEntries> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StartError(`API_KEYS_FILE ${path} cannot be read: ${reasonOf(error)}`)
  })
  // loaded here: most starts read no file
  const { parse, YAMLParseError } = await import('yaml')
  const document = parsed(
    () => parse(text),
    (error) => {
      const place = error instanceof YAMLParseError ? error.linePos?.[0] : undefined
      const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
      return `API_KEYS_FILE ${path} must be YAML${where}`
    },
  )
  return parseKeyEntries(document, 'API_KEYS_FILE')
}

const fromJson = (text: string): KeyEntries =>
  parseKeyEntries(
    parsed(
      () => JSON.parse(text),
      () => 'API_KEYS_JSON must be JSON',
    ),
    'API_KEYS_JSON',
  )

const repeatedIds = (keys: readonly FileKey[]): readonly string[] =>
  keys
    .filter(({ entityId }, index) => keys.findIndex((other) => other.entityId === entityId) < index)
    .map(({ secret, entityId }) => `keys.${masked(secret)}.id must be unique: another key has ${entityId}`)

/**
 * The keys of API_KEYS_FILE and of API_KEYS_JSON, whose fields take precedence. Throws `StartError`, which lists every
 * error and contains no secret.
 */
export const readApiKeys = async ({
  apiKeysFile,
  apiKeysJson,
}: Pick<Settings, 'apiKeysFile' | 'apiKeysJson'>): Promise<readonly FileKey[]> => {
  const file = apiKeysFile === null ? NONE : await fromFile(apiKeysFile)
  const json = apiKeysJson === null ? NONE : fromJson(apiKeysJson)
  const secrets = new Set([...file.entries.keys(), ...json.entries.keys()])
  const keys = [...secrets].map((secret): FileKey => {
    const entry: KeyEntry = { ...file.entries.get(secret), ...json.entries.get(secret) }
    return { ...entry, secret, entityId: entityIdOf(secret, entry.id) }
  })
  const mistakes = [...file.mistakes, ...json.mistakes, ...repeatedIds(keys)]
  if (mistakes.length > 0) throw new StartError(mistakes.join('; '))
  return keys
}

/** The minimum length of secrets that are set over HTTP. */
const HARD_TO_GUESS = 16

/** Warns about public or short keys if the API is reachable from other machines. */
export const warnOfGuessable = (
  keys: readonly Pick<FileKey, 'secret'>[],
  { host }: Pick<Settings, 'host'>,
  logger: Logger,
): void => {
  if (isLoopback(host)) return
  const guessable = keys.filter(({ secret }) => isPublished(secret) || secret.length < HARD_TO_GUESS)
  if (guessable.length === 0) return
  logger.warn('API keys of the file are easy to guess', {
    keys: guessable.map(({ secret }) => masked(secret)),
  })
}
