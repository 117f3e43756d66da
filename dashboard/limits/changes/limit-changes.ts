import type { Limit } from '../../api/answers.ts'
import type { LimitInput } from '../limit-draft.ts'
import { ALGORITHM_NAMES, meterText, sizeText } from '../limit-text.ts'

/** One field of something, before and after; undefined: it was not there. */
export interface FieldChange {
  readonly what: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** What saving would do to the limit of one name. */
export type LimitChange =
  | {
      readonly kind: 'added'
      readonly name: string
      readonly size: string
      readonly instead: Limit | undefined
    }
  | {
      readonly kind: 'removed'
      readonly name: string
      readonly size: string
      readonly again: Limit | undefined
    }
  | { readonly kind: 'changed'; readonly name: string; readonly fields: readonly FieldChange[] }

/**
 * What saving `after` in place of `before` would change, by name. `inherited` are the limits that hold where nothing is
 * set: a limit that is removed gives way to that of its name (`again`), one that is added stands before it (`instead`).
 */
export const changesOf = (
  before: readonly Limit[],
  after: readonly LimitInput[],
  inherited: readonly Limit[] = [],
): readonly LimitChange[] => {
  const inheritedAs = (name: string) => inherited.find((limit) => limit.name === name)
  const kept = after.flatMap((limit): readonly LimitChange[] => {
    const old = before.find(({ name }) => name === limit.name)
    if (!old)
      return [{ kind: 'added', name: limit.name, size: sizeText(limit), instead: inheritedAs(limit.name) }]
    const fields = fieldChanges(old, limit)
    return fields.length === 0 ? [] : [{ kind: 'changed', name: limit.name, fields }]
  })
  const removed = before
    .filter(({ name }) => !after.some((limit) => limit.name === name))
    .map((limit): LimitChange => {
      const again = inheritedAs(limit.name)
      return { kind: 'removed', name: limit.name, size: sizeText(limit), again }
    })
  return [...kept, ...removed]
}

type Described = readonly [what: string, textOf: (limit: LimitInput) => string]

const FIELDS: readonly Described[] = [
  ['Counts', meterText],
  ['Algorithm', ({ algorithm }) => ALGORITHM_NAMES[algorithm]],
  ['Size', sizeText],
  ['Slots', ({ algorithm, slots }) => (algorithm === 'sliding_window' ? String(slots ?? 30) : '–')],
  ['Mode', ({ mode = 'enforce' }) => mode],
  ['Warns from', ({ warn_at = 0.8 }) => percentText(warn_at)],
  ['Refund', ({ refund = 'strict' }) => refund],
  ['If the store is unavailable', ({ on_unavailable = 'as configured' }) => on_unavailable],
  ['Charged ahead for', ({ lease_ttl_seconds: ttl }) => (ttl === undefined ? 'as configured' : `${ttl} s`)],
  ['Kept from normal priority', ({ headroom }) => percentText(headroom?.normal ?? 0)],
  ['Kept from low priority', ({ headroom }) => percentText(headroom?.low ?? 0)],
]

const fieldChanges = (before: Limit, after: LimitInput): readonly FieldChange[] =>
  FIELDS.map(([what, textOf]) => ({ what, before: textOf(before), after: textOf(after) })).filter(
    (change) => change.before !== change.after,
  )

const PERCENT = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 2 })
const percentText = (share: number): string => PERCENT.format(share)
