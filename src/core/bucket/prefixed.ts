import type { LimitWrite } from '../algorithms/algorithm.ts'
import {
  type Action,
  type BucketItem,
  type Condition,
  type ConditionalWrite,
  equal,
  type Path,
} from './conditional-write.ts'
import { numberIn } from './limit-in-force.ts'

/** One limit's part of a bucket's write. */
export interface PrefixedWrite extends ConditionalWrite {
  /** True: it holds for no other state of the bucket than the one that was seen. */
  readonly onlyAsSeen: boolean
}

/** The condition that a bucket has not been written since it was seen, where a part asks for it. */
export const asSeen = (
  seen: BucketItem | undefined,
  parts: readonly PrefixedWrite[],
): readonly Condition[] =>
  parts.some(({ onlyAsSeen }) => onlyAsSeen) ? [equal('rev', numberIn(seen, 'rev', 0n))] : []

/** One limit's write on the names of its bucket: `tat` becomes `rpm_tat`. */
export const prefixed = (limitName: string, write: LimitWrite): PrefixedWrite => ({
  onlyAsSeen: write.onlyAsSeen ?? false,
  conditions: write.conditions.map((condition) => inCondition(limitName, condition)),
  actions: write.actions.map((action) => inAction(limitName, action)),
})

const inPath = (limitName: string, path: Path): Path =>
  typeof path === 'string' ? `${limitName}_${path}` : [`${limitName}_${path[0]}`, path[1]]

const inCondition = (limitName: string, condition: Condition): Condition =>
  condition.is === 'anyOf'
    ? { ...condition, conditions: condition.conditions.map((inner) => inCondition(limitName, inner)) }
    : { ...condition, path: inPath(limitName, condition.path) }

const inAction = (limitName: string, action: Action): Action => {
  const path = inPath(limitName, action.path)
  if (action.does === 'setIfMissing' && typeof action.value === 'object' && isSource(action.value)) {
    return { ...action, path, value: { from: `${limitName}_${action.value.from}` } }
  }
  return { ...action, path }
}

const isSource = (value: object): value is { readonly from: string } =>
  'from' in value && typeof value.from === 'string'
