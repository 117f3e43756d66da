import type { Change } from './plan.ts'

/** Why a change was not made. */
export interface Failure {
  /**
   * `changed`: another administrator has changed the item since the plan was made (412). `rejected`: zael rejects the change.
   * `unknown`: there was no response; the change may have been made.
   */
  readonly reason: 'changed' | 'rejected' | 'unknown'
  readonly message: string
}

/** What was done of a plan. Every change of the plan is in one of the lists, in the order of the plan. */
export interface Account {
  readonly applied: readonly Change[]
  readonly failed: readonly { readonly change: Change; readonly failure: Failure }[]
  /** Not begun, because of a failure. */
  readonly left: readonly Change[]
}

export interface ApplyOptions {
  /** Makes one change. Undefined: it was made. */
  readonly make: (change: Change) => Promise<Failure | undefined>
  /** Changes of one step that are made at once. */
  readonly concurrency: number
  readonly onApplied?: (change: Change, applied: number) => void
}

/**
 * Makes the changes in order, those of one step concurrently. After a failure no further change is begun; those that have begun
 * are awaited.
 */
export const applyChanges = async (
  changes: readonly Change[],
  { make, concurrency, onApplied = () => {} }: ApplyOptions,
): Promise<Account> => {
  const applied = new Set<Change>()
  const failures = new Map<Change, Failure>()
  const makeNext = async (queue: Iterator<Change>): Promise<void> => {
    for (let next = queue.next(); !next.done && failures.size === 0; next = queue.next()) {
      const failure = await make(next.value)
      if (failure !== undefined) {
        failures.set(next.value, failure)
        return
      }
      applied.add(next.value)
      onApplied(next.value, applied.size)
    }
  }
  for (const step of stepsOf(changes)) {
    const queue = step.values()
    await Promise.all(Array.from({ length: concurrency }, () => makeNext(queue)))
    if (failures.size > 0) break
  }
  return {
    applied: changes.filter((change) => applied.has(change)),
    failed: changes.flatMap((change) => {
      const failure = failures.get(change)
      return failure === undefined ? [] : [{ change, failure }]
    }),
    left: changes.filter((change) => !applied.has(change) && !failures.has(change)),
  }
}

const stepsOf = (changes: readonly Change[]): readonly (readonly Change[])[] => {
  const steps: Change[][] = []
  for (const change of changes) {
    steps[change.step] ??= []
    steps[change.step]?.push(change)
  }
  return steps
}
