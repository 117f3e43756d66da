import { ZaelError } from '../model/errors.ts'
import type { LimitSet } from '../model/limit-set.ts'

/** Versions, of which the stored item has one; `any`: it exists, or, of a set of limits, it has limits. */
export type VersionCondition = readonly bigint[] | 'any'

/** The condition under which something is changed. It is part of the conditional write. */
export interface Precondition {
  readonly match?: VersionCondition | undefined
  readonly noneMatch?: VersionCondition | undefined
}

/** The version of a set that was never written. */
export const versionOf = (set: Pick<LimitSet, 'version'> | undefined): bigint => set?.version ?? 0n

/** Throws `precondition_failed` unless the set meets the condition. */
export const checkPrecondition = (set: LimitSet | undefined, precondition: Precondition): void =>
  check({ version: versionOf(set), exists: (set?.limits.length ?? 0) > 0 }, precondition, LIMITS)

/** The same for an item that exists as a whole: an entity, a model, an upstream, an alert. */
export const checkItemPrecondition = (
  item: { readonly version: bigint } | undefined,
  precondition: Precondition,
): void => check({ version: item?.version, exists: item !== undefined }, precondition, ITEM)

interface Current {
  readonly version: bigint | undefined
  readonly exists: boolean
}

interface Texts {
  readonly none: string
  readonly other: string
  readonly exists: string
}

const LIMITS: Texts = {
  none: 'If-Match: * requires that there are limits, and there are none',
  other:
    'The limits are not those that If-Match names: read them again, and repeat the change on what they are now',
  exists: 'The limits exist, or are those that If-None-Match names: nothing was changed',
}

const ITEM: Texts = {
  none: 'If-Match: * requires that it exists, and it does not',
  other: 'It is not what If-Match names: read it again',
  exists: 'It exists, or is what If-None-Match names',
}

const check = (current: Current, { match, noneMatch }: Precondition, texts: Texts): void => {
  if (match !== undefined && !meets(current, match)) throw failed(match === 'any' ? texts.none : texts.other)
  if (noneMatch !== undefined && meets(current, noneMatch)) throw failed(texts.exists)
}

const failed = (message: string): ZaelError => new ZaelError('precondition_failed', message)

const meets = ({ version, exists }: Current, condition: VersionCondition): boolean =>
  condition === 'any' ? exists : version !== undefined && condition.includes(version)
