/*
 * A conditional write as data: conditions on a bucket, and changes. The DynamoDB adapter turns it into one UpdateItem; the
 * memory adapter and the simulation apply it themselves. So property tests check the same conditions that guard the table,
 * and a new algorithm changes no store.
 */

/** A number, a text, or a map of numbers. */
export type FieldValue = bigint | string | Readonly<Record<string, bigint>>

/** A stored bucket: its attributes by name, without the keys of the table. */
export type BucketItem = Readonly<Record<string, FieldValue>>

/** An attribute, or a key within an attribute that holds a map. */
export type Path = string | readonly [attribute: string, key: string]

type Scalar = bigint | string

export type Condition =
  | { readonly is: 'missing'; readonly path: Path }
  | { readonly is: 'equal' | 'below' | 'atMost' | 'atLeast'; readonly path: Path; readonly value: Scalar }
  | { readonly is: 'between'; readonly path: Path; readonly low: bigint; readonly high: bigint }
  /** The attribute is a map with at most `value` entries, before the write. */
  | { readonly is: 'sizeAtMost'; readonly path: string; readonly value: bigint }
  | { readonly is: 'anyOf'; readonly conditions: readonly Condition[] }

export type Action =
  | { readonly does: 'set'; readonly path: Path; readonly value: FieldValue }
  | {
      readonly does: 'setIfMissing'
      readonly path: Path
      readonly value: FieldValue | { readonly from: string }
    }
  /** Adds to a number; one that is missing counts as 0. */
  | { readonly does: 'add'; readonly path: Path; readonly value: bigint }
  | { readonly does: 'remove'; readonly path: Path }

/** If all `conditions` hold, all `actions` apply at once, to the values before the write. No two actions have the same path. */
export interface ConditionalWrite {
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
}

export const missing = (path: Path): Condition => ({ is: 'missing', path })

export const equal = (path: Path, value: Scalar): Condition => ({ is: 'equal', path, value })

export const below = (path: Path, value: bigint): Condition => ({ is: 'below', path, value })

export const atMost = (path: Path, value: bigint): Condition => ({ is: 'atMost', path, value })

export const atLeast = (path: Path, value: bigint): Condition => ({ is: 'atLeast', path, value })

export const sizeAtMost = (path: string, value: bigint): Condition => ({ is: 'sizeAtMost', path, value })

/** Both ends included. DynamoDB rejects `low` above `high`: the caller must exclude that case. */
export const between = (path: Path, low: bigint, high: bigint): Condition => ({
  is: 'between',
  path,
  low,
  high,
})

export const anyOf = (...conditions: readonly Condition[]): Condition => ({ is: 'anyOf', conditions })

export const set = (path: Path, value: FieldValue): Action => ({ does: 'set', path, value })

export const setIfMissing = (path: Path, value: FieldValue | { readonly from: string }): Action => ({
  does: 'setIfMissing',
  path,
  value,
})

export const add = (path: Path, value: bigint): Action => ({ does: 'add', path, value })

export const remove = (path: Path): Action => ({ does: 'remove', path })
