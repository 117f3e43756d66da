import { LIMIT_MODES, ON_UNAVAILABLE, REFUNDS } from '../../src/core/model/limit.ts'
import { METERS } from '../../src/core/model/meter.ts'
import type { Limit } from '../api/responses.ts'
import type { LimitInput } from './limit-text.ts'
import { type EntryDraft, entryDraftsOf, scheduleIn } from './schedule-draft.ts'
import { amountOf, draftMeter, given, number, oneOf, type SizeDraft, type Texts, text } from './size-draft.ts'
import { sizeFields, sizeFormOf } from './size-forms.ts'

/** The state of the form of one limit; an empty text is a field that is not set. */
export interface LimitDraft extends SizeDraft {
  /** Identifies the limit while it is edited. */
  readonly key: number
  readonly algorithm: string
  readonly warnAt: string
  readonly refund: string
  readonly onUnavailable: string
  readonly leaseTtlSeconds: string
  readonly headroomNormal: string
  readonly headroomLow: string
  readonly schedule: readonly EntryDraft[]
}

/** The fields that a draft covers beside the size; other fields of a limit are kept as they are. */
const SHOWN: readonly string[] = [
  'name',
  'meter',
  'mode',
  'warn_at',
  'refund',
  'on_unavailable',
  'lease_ttl_seconds',
  'headroom',
  'source',
  'schedule',
  'schedule_state',
]

/** The draft of a new limit. */
export const newDraft = (key: number): LimitDraft => ({
  key,
  original: undefined,
  name: '',
  meter: '',
  algorithm: 'token_bucket',
  amount: '',
  size: {},
  mode: '',
  warnAt: '',
  refund: '',
  onUnavailable: '',
  leaseTtlSeconds: '',
  headroomNormal: '',
  headroomLow: '',
  schedule: [],
})

export const draftOf = (limit: Limit, key: number): LimitDraft => ({
  ...newDraft(key),
  original: limit,
  name: limit.name,
  meter: limit.meter,
  algorithm: limit.algorithm,
  amount: amountOf(limit),
  size: sizeFormOf(limit.algorithm).valuesOf(limit),
  mode: limit.mode === 'enforce' ? '' : text(limit.mode),
  warnAt: text(limit.warn_at),
  refund: limit.refund === 'strict' ? '' : text(limit.refund),
  onUnavailable: text(limit.on_unavailable),
  leaseTtlSeconds: text(limit.lease_ttl_seconds),
  headroomNormal: text(limit.headroom?.normal),
  headroomLow: text(limit.headroom?.low),
  schedule: entryDraftsOf(limit),
})

/** The fields of the size of a draft; a field that was not set has its initial value. */
export const sizeValues = ({ algorithm, size }: LimitDraft): Texts => ({
  ...sizeFormOf(algorithm).initial,
  ...size,
})

/**
 * The limit of a draft, with the fields that a draft does not cover as they were. Invalid numbers are left
 * out.
 */
export const limitOf = (draft: LimitDraft): LimitInput => {
  const covered = [...SHOWN, ...sizeFields()]
  const kept = Object.entries(draft.original ?? {}).filter(([name]) => !covered.includes(name))
  const headroom = given({ normal: number(draft.headroomNormal), low: number(draft.headroomLow) })
  const { algorithm, sizeOf } = sizeFormOf(draft.algorithm)
  return {
    ...Object.fromEntries(kept),
    name: draft.name.trim(),
    algorithm,
    ...sizeOf(draft, sizeValues(draft)),
    ...given({
      meter: oneOf(METERS, draft.meter),
      mode: oneOf(LIMIT_MODES, draft.mode),
      warn_at: number(draft.warnAt),
      refund: oneOf(REFUNDS, draft.refund),
      on_unavailable: oneOf(ON_UNAVAILABLE, draft.onUnavailable),
      lease_ttl_seconds: number(draft.leaseTtlSeconds),
      headroom: Object.keys(headroom).length === 0 ? undefined : headroom,
      schedule: scheduleIn(draft.schedule, { algorithm, meter: draftMeter(draft) }),
    }),
  }
}
