import type { BucketItem, FieldValue, Path } from '../../core/bucket/write.ts'

/** DynamoDB's refusal of a write that makes no sense, whatever is stored; its name is what callers look at. */
export const validationException = (message: string): Error =>
  Object.assign(new Error(message), { name: 'ValidationException' })

/** The attribute a path begins with. */
export const rootOf = (path: Path): string => (typeof path === 'string' ? path : path[0])

export const isMap = (value: FieldValue | undefined): value is Readonly<Record<string, bigint>> =>
  typeof value === 'object'

/** What stands at `path`; undefined where a part of the path is missing or holds no map. */
export const valueAt = (item: BucketItem, path: Path): FieldValue | undefined => {
  if (typeof path === 'string') return own(item, path)
  const map = own(item, path[0])
  return isMap(map) ? own(map, path[1]) : undefined
}

const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
