import { ID_RULE, isId } from '../../src/core/model/entity.ts'
import { isSecret, masked, secretRule } from '../../src/core/model/key.ts'

/** What may be said of a key. The numbers are the most in one window. */
export interface KeyEntry {
  readonly id?: string
  readonly name?: string
  readonly request_per_minute?: number
  readonly input_tokens_per_minute?: number
  readonly output_tokens_per_minute?: number
}

/** Entries by the key's secret; what is wrong with the document, in sentences that hold no secret. */
export interface KeyEntries {
  readonly entries: ReadonlyMap<string, KeyEntry>
  readonly mistakes: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>
type Refuse = (field: string, must: string) => void
type Read = (value: unknown, field: string, refuse: Refuse) => KeyEntry

const LONGEST_NAME = 256

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const amount =
  (name: 'request_per_minute' | 'input_tokens_per_minute' | 'output_tokens_per_minute'): Read =>
  (value, field, refuse) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return { [name]: value }
    refuse(field, `be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`)
    return {}
  }

const READERS: Readonly<Record<keyof KeyEntry, Read>> = {
  id(value, field, refuse) {
    if (typeof value === 'string' && isId(value)) return { id: value }
    refuse(field, ID_RULE)
    return {}
  },
  name(value, field, refuse) {
    if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME) return { name: value }
    refuse(field, `be 1 to ${LONGEST_NAME} characters long`)
    return {}
  },
  request_per_minute: amount('request_per_minute'),
  input_tokens_per_minute: amount('input_tokens_per_minute'),
  output_tokens_per_minute: amount('output_tokens_per_minute'),
}

const isField = (name: string): name is keyof KeyEntry => Object.hasOwn(READERS, name)

const readEntry = (entry: unknown, refuse: Refuse): KeyEntry => {
  if (!isFields(entry)) {
    refuse('', 'be an object')
    return {}
  }
  let known: KeyEntry = {}
  for (const [name, value] of Object.entries(entry)) {
    if (isField(name)) known = { ...known, ...READERS[name](value, `.${name}`, refuse) }
    else refuse(`.${name}`, `not be given; known fields are ${Object.keys(READERS).join(', ')}`)
  }
  return known
}

/** Checks `{keys: {<secret>: {…}}}`; `setting` is the name of the setting that it came from. */
export const parseKeyEntries = (document: unknown, setting: string): KeyEntries => {
  if (!isFields(document) || !isFields(document.keys)) {
    return {
      entries: new Map(),
      mistakes: [`${setting} must be {keys: {<key>: {request_per_minute: <number>, …}}}`],
    }
  }
  const mistakes: string[] = Object.keys(document)
    .filter((field) => field !== 'keys')
    .map((field) => `${setting} ${field} must not be given: there is nothing beside keys`)
  const entries = Object.entries(document.keys).map(([secret, entry], index) => {
    // several keys may begin alike, so it is said which one it is
    const path = `${setting} keys.${masked(secret)}`
    const refuse: Refuse = (field, must) => mistakes.push(`${path}${field} (key ${index + 1}) must ${must}`)
    if (!isSecret(secret, 1)) refuse('', secretRule(1))
    return [secret, readEntry(entry, refuse)] as const
  })
  return { entries: new Map(entries), mistakes }
}
