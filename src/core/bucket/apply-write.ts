import type { Action, BucketItem, FieldValue, Path } from './write.ts'

/** The error of DynamoDB for a malformed write, independent of the stored item. Callers check its name. */
export const validationException = (message: string): Error =>
  Object.assign(new Error(message), { name: 'ValidationException' })

export const isMap = (value: FieldValue | undefined): value is Readonly<Record<string, bigint>> =>
  typeof value === 'object'

/** The value at `path`; undefined if a part of the path is missing or not a map. */
export const valueAt = (item: BucketItem, path: Path): FieldValue | undefined => {
  if (typeof path === 'string') return own(item, path)
  const map = own(item, path[0])
  return isMap(map) ? own(map, path[1]) : undefined
}

const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/** DynamoDB keeps 38 digits. */
const NUMBER_BOUND = 10n ** 38n

/** The frozen item after `actions`, which read their values from `before`. Throws `ValidationException`. */
export const applyActions = (before: BucketItem, actions: readonly Action[]): BucketItem => {
  const after: Record<string, FieldValue> = { ...before }
  for (const action of actions) {
    if (action.does === 'remove') removeAt(after, before, action.path)
    else putAt(after, before, action.path, result(before, action))
  }
  for (const value of Object.values(after)) if (isMap(value)) Object.freeze(value)
  return Object.freeze(after)
}

const result = (before: BucketItem, action: Exclude<Action, { does: 'remove' }>): FieldValue => {
  if (action.does === 'set') return checked(action.value)
  const current = valueAt(before, action.path)
  if (action.does === 'add') return sum(current, action.value)
  // evaluated even if it is not needed: engines differ, so no write may rely on either
  const fallback = isReference(action.value) ? referred(before, action.value.from) : checked(action.value)
  return current ?? fallback
}

const referred = (before: BucketItem, attribute: string): FieldValue => {
  const value = valueAt(before, attribute)
  if (value === undefined)
    throw validationException(
      'The provided expression refers to an attribute that does not exist in the item',
    )
  return isMap(value) ? { ...value } : value
}

const sum = (current: FieldValue | undefined, amount: bigint): bigint => {
  if (current === undefined) return checkedNumber(amount)
  if (typeof current !== 'bigint')
    throw validationException('An operand in the update expression has an incorrect data type')
  return checkedNumber(current + amount)
}

const isReference = (value: FieldValue | { readonly from: string }): value is { readonly from: string } =>
  typeof value === 'object' && typeof value.from === 'string'

const checked = (value: FieldValue): FieldValue => {
  if (typeof value === 'bigint') return checkedNumber(value)
  if (!isMap(value)) return value
  for (const part of Object.values(value)) checkedNumber(part)
  return { ...value }
}

const checkedNumber = (value: bigint): bigint => {
  if (value >= NUMBER_BOUND || value <= -NUMBER_BOUND)
    throw validationException('Number overflow. Attempting to store a number with more than 38 digits')
  return value
}

const putAt = (
  after: Record<string, FieldValue>,
  before: BucketItem,
  path: Path,
  value: FieldValue,
): void => {
  if (typeof path === 'string') {
    after[path] = value
    return
  }
  const map = ownMap(after, before, path[0])
  if (typeof value !== 'bigint') throw validationException('A map of a bucket holds numbers only')
  map[path[1]] = value
}

const removeAt = (after: Record<string, FieldValue>, before: BucketItem, path: Path): void => {
  if (typeof path === 'string') delete after[path]
  else delete ownMap(after, before, path[0])[path[1]]
}

/** The map at `attribute`, copied from `before` on its first change. */
const ownMap = (
  after: Record<string, FieldValue>,
  before: BucketItem,
  attribute: string,
): Record<string, bigint> => {
  const current = after[attribute]
  if (!isMap(current))
    throw validationException('The document path provided in the update expression is invalid for update')
  if (current !== before[attribute]) return current
  const copy = { ...current }
  after[attribute] = copy
  return copy
}
