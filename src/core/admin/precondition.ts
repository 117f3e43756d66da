import { ZaelError } from '../model/errors.ts'
import type { LimitSet } from '../model/limit-set.ts'

/** Versions of a set, of which it has one; `any`: it has limits. */
export type VersionCondition = readonly bigint[] | 'any'

/** The condition under which a set of limits is changed. It is part of the conditional write. */
export interface Precondition {
  readonly match?: VersionCondition | undefined
  readonly noneMatch?: VersionCondition | undefined
}

/** The version of a set that was never written. */
export const versionOf = (set: Pick<LimitSet, 'version'> | undefined): bigint => set?.version ?? 0n

/** Throws `precondition_failed` unless the set meets the condition. */
export const checkPrecondition = (set: LimitSet | undefined, { match, noneMatch }: Precondition): void => {
  if (match !== undefined && !meets(set, match))
    throw failed(
      match === 'any'
        ? 'If-Match: * requires that there are limits, and there are none'
        : 'The limits are not those that If-Match names: read them again, and repeat the change on what they are now',
    )
  if (noneMatch !== undefined && meets(set, noneMatch))
    throw failed('The limits exist, or are those that If-None-Match names: nothing was changed')
}

const failed = (message: string): ZaelError => new ZaelError('precondition_failed', message)

const meets = (set: LimitSet | undefined, condition: VersionCondition): boolean =>
  condition === 'any' ? (set?.limits.length ?? 0) > 0 : condition.includes(versionOf(set))
