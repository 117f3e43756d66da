import { createHash } from 'node:crypto'
import { isId } from '../../core/model/entity.ts'
import { invalid } from '../../core/model/errors.ts'
import { invalidArgument } from '../arguments/invalid-argument.ts'

const HASHED = 'sha256:'
/** A name leaves room for a hash behind it: 48 + 1 + 7 + 64 characters are 120 of 128. */
const LONGEST_NAME = 48

/** Makes a key, which is any text, the id of an entity. */
export type EntityIds = (key: string) => string

/**
 * Ids of the form `<name>:<key>`, so that limiters with other names, and the entities of a deployed zael, have other
 * buckets. A key that fits the rule for ids stays readable (`app:2001:db8:1:2`); any other is hashed, and so is one that
 * looks like a hash: no key can be chosen to meet another's bucket. Throws `TypeError` for an empty key.
 */
export const createEntityIds = (name: string): EntityIds => {
  if (typeof name !== 'string' || !isId(name) || name.length > LONGEST_NAME) {
    throw invalid('name', `be 1 to ${LONGEST_NAME} of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit`)
  }
  return (key) => {
    if (key === '') throw invalidArgument('key', 'not be empty')
    const id = `${name}:${key}`
    return isId(id) && !key.startsWith(HASHED) ? id : `${name}:${HASHED}${sha256(key)}`
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
