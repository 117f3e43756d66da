import { readFile } from 'node:fs/promises'
import { parse, YAMLParseError } from 'yaml'
import { masked } from '../../src/core/model/key.ts'
import { reasonOf, StartError } from '../serve/start-error.ts'
import type { Settings } from '../settings/settings.ts'
import { entityIdOf } from './file-entity.ts'
import { type KeyEntries, type KeyEntry, parseKeyEntries } from './key-entries.ts'

/** A key of API_KEYS_FILE or API_KEYS_JSON, with all that is known of it. */
export interface FileKey extends KeyEntry {
  readonly secret: string
  readonly entityId: string
}

const NONE: KeyEntries = { entries: new Map(), mistakes: [] }

/** A parser's own message may quote the text around a mistake, keys included: it is not shown. */
const parsed = (text: string, parseText: (text: string) => unknown, mustBe: string): unknown => {
  try {
    return parseText(text)
  } catch (error) {
    const place = error instanceof YAMLParseError ? error.linePos?.[0] : undefined
    const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
    throw new StartError(`${mustBe}${where}`)
  }
}

const fromFile = async (path: string): Promise<KeyEntries> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StartError(`API_KEYS_FILE ${path} cannot be read: ${reasonOf(error)}`)
  })
  const document = parsed(text, (yaml) => parse(yaml), `API_KEYS_FILE ${path} must be YAML`)
  return parseKeyEntries(document, 'API_KEYS_FILE')
}

const fromJson = (text: string): KeyEntries =>
  parseKeyEntries(
    parsed(text, (json) => JSON.parse(json), 'API_KEYS_JSON must be JSON'),
    'API_KEYS_JSON',
  )

const repeatedIds = (keys: readonly FileKey[]): readonly string[] =>
  keys
    .filter(({ entityId }, index) => keys.findIndex((other) => other.entityId === entityId) < index)
    .map(({ secret, entityId }) => `keys.${masked(secret)}.id must be unique: another key has ${entityId}`)

/**
 * The keys of API_KEYS_FILE, and of API_KEYS_JSON, whose fields win. Throws `StartError`, which names every mistake and
 * holds no secret.
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
