import { Buffer } from 'node:buffer'
import { invalid } from '../core/model/errors.ts'
import { POLICY_SCOPES, type PolicyKey } from '../core/model/policy.ts'

/** The position of a list as an opaque text. */
export const encodeCursor = (...parts: readonly string[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url')

/** The `count` parts of a cursor; undefined if there is none. Throws `invalid('cursor', …)`. */
export const decodeCursor = (cursor: string | undefined, count: number): readonly string[] | undefined => {
  if (cursor === undefined) return undefined
  const parts = parse(Buffer.from(cursor, 'base64url').toString())
  if (parts === undefined || parts.length !== count) throw badCursor()
  return parts
}

export const badCursor = () => invalid('cursor', 'be the next_cursor of the page before')

const parse = (text: string): readonly string[] | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

/** The position in a list of policies. */
export const encodePolicyCursor = ({ scope, selector }: PolicyKey): string => encodeCursor(scope, selector)

/** The last policy of the previous page; undefined if there is none. Throws `invalid('cursor', …)`. */
export const decodePolicyCursor = (cursor: string | undefined): PolicyKey | undefined => {
  const parts = decodeCursor(cursor, 2)
  if (parts === undefined) return undefined
  const [word, selector = ''] = parts
  const scope = POLICY_SCOPES.find((each) => each === word)
  if (scope === undefined || selector === '') throw badCursor()
  return { scope, selector }
}
