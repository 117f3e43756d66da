import { StartError } from '../../src/command-line/failure.ts'
import { type KeyEntry, parseKeyEntries } from '../../src/contract/key-entries.ts'
import { parseLimits } from '../../src/contract/limits.ts'
import { masked } from '../../src/core/model/key.ts'
import { type Limit, MAX_SLOTS, MIN_SLOTS } from '../../src/core/model/limit.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { isLoopback } from '../../src/platform/loopback.ts'
import { randomSecrets } from '../../src/platform/secrets.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { readYamlFile } from './yaml-file.ts'

/** Entries by the key's secret, and the mistakes of the document, which contain no secret. */
interface KeyEntries {
  readonly entries: ReadonlyMap<string, KeyEntry>
  readonly mistakes: readonly string[]
}

/** Reads `{keys: {<secret>: {…}}}`; `setting` is the name of the setting that contains it. */
const entriesIn = (document: unknown, setting: string): KeyEntries => {
  const { entries, faults } = parseKeyEntries(document)
  const secrets = [...entries.keys()]
  return {
    entries,
    mistakes: faults.map(({ path, must }) => `${setting}${placeOf(path, secrets)} must ${must}`),
  }
}

/** ` keys.sk-prod-....name (key 1)`: several keys may begin alike, so the place includes the number of the key. */
const placeOf = ([field, secret, ...rest]: readonly string[], secrets: readonly string[]): string => {
  if (field === undefined) return ''
  if (secret === undefined) return ` ${shown(field)}`
  const place = [field, masked(secret), ...rest.map(shown)].join('.')
  return ` ${place} (key ${secrets.indexOf(secret) + 1})`
}

/** A key with the wrong indentation stands where a field is expected. */
const shown = (field: string): string => (/^[a-z_]{1,32}$/.test(field) ? field : masked(field))

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

/** Windows of `windowSeconds`, in slots of one second, or of a sixtieth of the window if that is longer. */
export const windowLimits = (entry: KeyEntry, windowSeconds: number): readonly Limit[] => {
  const slots = Math.max(MIN_SLOTS, Math.min(MAX_SLOTS, windowSeconds))
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
export interface FileKey extends Readonly<KeyEntry> {
  readonly secret: string
  readonly entityId: string
}

const NONE: KeyEntries = { entries: new Map(), mistakes: [] }

const fromFile = async (path: string): Promise<KeyEntries> =>
  entriesIn(await readYamlFile(path, 'API_KEYS_FILE'), 'API_KEYS_FILE')

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // the parser's own message may quote keys
    throw new StartError('API_KEYS_JSON must be JSON')
  }
}

const fromJson = (text: string): KeyEntries => entriesIn(jsonIn(text), 'API_KEYS_JSON')

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
