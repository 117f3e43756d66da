import { POLICY_SCOPES, type PolicyKey } from '../core/model/policy.ts'
import { badCursor, decodeCursor, encodeCursor } from './cursor.ts'

/** Where a list of policies goes on. */
export const encodePolicyCursor = ({ scope, selector }: PolicyKey): string => encodeCursor(scope, selector)

/** The last policy of the page before; undefined where there is none. Throws `invalid('cursor', …)`. */
export const decodePolicyCursor = (cursor: string | undefined): PolicyKey | undefined => {
  const parts = decodeCursor(cursor, 2)
  if (parts === undefined) return undefined
  const [word, selector = ''] = parts
  const scope = POLICY_SCOPES.find((each) => each === word)
  if (scope === undefined || selector === '') throw badCursor()
  return { scope, selector }
}
