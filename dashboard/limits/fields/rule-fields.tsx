import { ChoiceField, NumberField } from '../../parts/field.tsx'
import type { LimitDraft } from '../limit-draft.ts'
import type { PartProps } from './limit-fields.tsx'

const MODE_OPTIONS = [
  ['', 'enforce: denies'],
  ['warn', 'warn: only warns callers'],
  ['shadow', 'shadow: only counts'],
] as const
const REFUND_OPTIONS = [
  ['', 'strict: not yet refilled'],
  ['full', 'full: all that is unused'],
] as const
const UNAVAILABLE_OPTIONS = [
  ['', 'as configured'],
  ['deny', 'deny'],
  ['allow', 'allow'],
  ['local', 'local: a share per process'],
] as const

/** What a limit seldom says; closed unless it says something. */
export const RuleFields = (props: PartProps) => (
  <details class="limit-rules" open={saysSomething(props.draft)}>
    <summary>Advanced</summary>
    <div class="fields">
      <ConductFields {...props} />
      <ShareFields {...props} />
    </div>
  </details>
)

const saysSomething = ({ original }: LimitDraft): boolean =>
  original !== undefined &&
  [
    original.mode,
    original.warn_at,
    original.refund,
    original.on_unavailable,
    original.lease_ttl_seconds,
    original.headroom,
  ].some((rule) => rule !== undefined)

const ConductFields = ({ draft, set, errorOf }: PartProps) => (
  <>
    <ChoiceField
      label="Mode"
      value={draft.mode}
      options={MODE_OPTIONS}
      error={errorOf('mode')}
      onValue={(mode) => set({ mode })}
    />
    <ChoiceField
      label="Refunds"
      value={draft.refund}
      options={REFUND_OPTIONS}
      error={errorOf('refund')}
      hint="of what was reserved and not used"
      onValue={(refund) => set({ refund })}
    />
    <ChoiceField
      label="If the store is unavailable"
      value={draft.onUnavailable}
      options={UNAVAILABLE_OPTIONS}
      error={errorOf('on_unavailable')}
      onValue={(onUnavailable) => set({ onUnavailable })}
    />
  </>
)

const ShareFields = ({ draft, set, errorOf }: PartProps) => (
  <>
    <NumberField
      label="Warn from"
      value={draft.warnAt}
      step="any"
      error={errorOf('warn_at')}
      hint="share in use: default 0.8"
      onValue={(warnAt) => set({ warnAt })}
    />
    <NumberField
      label="Charge ahead, seconds"
      value={draft.leaseTtlSeconds}
      step="any"
      error={errorOf('lease_ttl_seconds')}
      hint="0: never; blank: as configured"
      onValue={(leaseTtlSeconds) => set({ leaseTtlSeconds })}
    />
    <NumberField
      label="Kept from normal priority"
      value={draft.headroomNormal}
      step="any"
      error={errorOf('headroom', 'headroom.normal')}
      hint="share of the capacity, for example 0.1"
      onValue={(headroomNormal) => set({ headroomNormal })}
    />
    <NumberField
      label="Kept from low priority"
      value={draft.headroomLow}
      step="any"
      error={errorOf('headroom.low')}
      hint="share of the capacity, for example 0.3"
      onValue={(headroomLow) => set({ headroomLow })}
    />
  </>
)
