import { Buffer } from 'node:buffer'
import { isMap, validationException, valueAt } from '../../core/bucket/apply-write.ts'
import type { Action, BucketItem, Condition, Path } from '../../core/bucket/write.ts'

/** The attribute at the start of a path. */
const rootOf = (path: Path): string => (typeof path === 'string' ? path : path[0])

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
  if (condition.is === 'sizeAtMost') return isMap(value) && Object.keys(value).length <= condition.value
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
