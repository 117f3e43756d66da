import { Buffer } from 'node:buffer'
import type { Action, BucketItem, Condition, FieldValue, Path } from '../../core/bucket/write.ts'

/** The error of DynamoDB for a malformed write, independent of the stored item. Callers check its name. */
const validationException = (message: string): Error =>
  Object.assign(new Error(message), { name: 'ValidationException' })

/** The attribute at the start of a path. */
const rootOf = (path: Path): string => (typeof path === 'string' ? path : path[0])

const isMap = (value: FieldValue | undefined): value is Readonly<Record<string, bigint>> =>
  typeof value === 'object'

/** The value at `path`; undefined if a part of the path is missing or not a map. */
const valueAt = (item: BucketItem, path: Path): FieldValue | undefined => {
  if (typeof path === 'string') return own(item, path)
  const map = own(item, path[0])
  return isMap(map) ? own(map, path[1]) : undefined
}

const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/** Rejects crossed bounds, as DynamoDB does before it reads the item. Throws `ValidationException`. */
export const checkConditions = (conditions: readonly Condition[]): void => {
  for (const condition of conditions) {
    if (condition.is === 'anyOf') checkAnyOf(condition.conditions)
    else if (condition.is === 'between' && condition.low > condition.high)
      throw validationException(
        'Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound',
      )
  }
}

const checkAnyOf = (conditions: readonly Condition[]): void => {
  if (conditions.length === 0) throw validationException('Invalid ConditionExpression: Syntax error')
  checkConditions(conditions)
}

/** Whether `item` meets `condition`. A comparison with a missing attribute, or one of another type, is false. */
export const holds = (condition: Condition, item: BucketItem): boolean => {
  if (condition.is === 'anyOf') return condition.conditions.some((each) => holds(each, item))
  const value = valueAt(item, condition.path)
  if (condition.is === 'missing') return value === undefined
  if (condition.is === 'between')
    return typeof value === 'bigint' && condition.low <= value && value <= condition.high
  if (condition.is === 'equal') return value === condition.value
  return compares(condition.is, value, condition.value)
}

/** Numbers by size, strings by their UTF-8 bytes, as DynamoDB orders them. */
const compares = (is: 'below' | 'atMost' | 'atLeast', value: unknown, bound: bigint | string): boolean => {
  if (typeof value === 'bigint' && typeof bound === 'bigint') {
    if (is === 'below') return value < bound
    return is === 'atMost' ? value <= bound : value >= bound
  }
  if (typeof value !== 'string' || typeof bound !== 'string') return false
  const order = Buffer.compare(Buffer.from(value), Buffer.from(bound))
  if (is === 'below') return order < 0
  return is === 'atMost' ? order <= 0 : order >= 0
}

/** DynamoDB keeps 38 digits. */
const NUMBER_BOUND = 10n ** 38n

/** Rejects overlapping paths. Throws `ValidationException`. */
export const checkActions = (actions: readonly Action[]): void => {
  const whole = new Set<string>()
  const within = new Set<string>()
  for (const { path } of actions) {
    const root = rootOf(path)
    const full = typeof path === 'string' ? path : `${root}#${path[1]}`
    if (whole.has(root) || whole.has(full) || (full === root && within.has(root)))
      throw validationException('Invalid UpdateExpression: Two document paths overlap with each other')
    whole.add(full)
    if (full !== root) within.add(root)
  }
}

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
