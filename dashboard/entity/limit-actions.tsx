import type { ComponentProps } from 'preact'
import { useState } from 'preact/hooks'
import { type Condition, pathOf, unchangedSince } from '../api/api.ts'
import { fieldErrorOf } from '../api/errors.ts'
import { useAction } from '../api/hooks.ts'
import type { Explanation } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { type EditedSet, LimitEditor } from '../limits/limit-editor.tsx'
import { sizeText } from '../limits/size-forms.ts'
import { isMoney, MICROS_PER_DOLLAR } from '../parts/amounts.ts'
import { isPaused } from '../parts/bar.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { CheckField, ChoiceField, NumberField, RequiredNote } from '../parts/fields.tsx'
import { FormDialog } from '../parts/forms.tsx'
import type { DoneNotice } from '../parts/notices.tsx'
import { inheritedLimits, ownLimits } from './bucket-limits.tsx'

interface LimitActionsProps {
  readonly entityId: string
  readonly explained: Explanation
  /** That the limits have not changed since `explained`. */
  readonly condition: Condition
  /** Called with the notice to show; the button that was used may no longer exist. */
  onChanged(notice: ComponentProps<typeof DoneNotice>): void
}

const DONE = {
  edit: 'The limits are saved.',
  inherit: 'The inherited limits apply again.',
  reset: 'The limits are full again.',
  'top-up': 'The limit is topped up.',
} as const

type OpenDialog = keyof typeof DONE

/** The actions on the limits of an entity on a resource, and on its bucket. */
export const LimitActions = ({ entityId, explained, condition, onChanged }: LimitActionsProps) => {
  const [open, setOpen] = useState<OpenDialog | undefined>(undefined)
  const dialog = {
    entityId,
    explained,
    condition,
    onClose: () => setOpen(undefined),
    onDone: () => {
      setOpen(undefined)
      if (open) onChanged({ text: DONE[open], takesFocus: open === 'inherit' })
    },
  }
  return (
    <div class="actions">
      <button class="button" type="button" onClick={() => setOpen('edit')}>
        Edit limits
      </button>
      {ownLimits(explained).length > 0 && (
        <button class="button" type="button" onClick={() => setOpen('inherit')}>
          Use inherited limits
        </button>
      )}
      {explained.limits.length > 0 && (
        <>
          {topUpLimits(explained).length > 0 && (
            <button class="button" type="button" onClick={() => setOpen('top-up')}>
              Top up
            </button>
          )}
          <button class="button" type="button" onClick={() => setOpen('reset')}>
            Reset
          </button>
        </>
      )}
      {open === 'edit' && <EditLimits {...dialog} />}
      {open === 'inherit' && <UseInherited {...dialog} />}
      {open === 'top-up' && <TopUp {...dialog} />}
      {open === 'reset' && <ResetBuckets {...dialog} />}
    </div>
  )
}

export interface LimitDialogProps {
  readonly entityId: string
  readonly explained: Explanation
  /** That the limits have not changed since `explained`. */
  readonly condition: Condition
  onDone(): void
  onClose(): void
}

const EditLimits = ({ entityId, explained, condition, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const read = async () => {
    const path = pathOf('api/limits', entityId, 'explain')
    const tagged = await api.getTagged<Explanation>(path, { resource })
    return editedSet(tagged.body, unchangedSince(tagged))
  }
  return (
    <LimitEditor
      title={`Limits of ${entityId} on ${resource}`}
      set={editedSet(explained, condition)}
      read={read}
      save={(limits, condition) =>
        api.send('PUT', pathOf('api/limits', entityId), { resource, limits }, condition)
      }
      onSaved={onDone}
      onClose={onClose}
    />
  )
}

const editedSet = (explained: Explanation, condition: Condition): EditedSet => ({
  limits: ownLimits(explained),
  inherited: inheritedLimits(explained),
  condition,
})

const UseInherited = ({ entityId, explained, condition, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const names = ownLimits(explained).map(({ name }) => name)
  return (
    <Confirm
      title="Use inherited limits?"
      action="Remove these limits"
      act={() =>
        api.send(
          'DELETE',
          `${pathOf('api/limits', entityId)}?${new URLSearchParams({ resource })}`,
          undefined,
          condition,
        )
      }
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        {names.join(', ')} of {entityId} on {resource} will be removed. The audit log keeps a record of them.
      </p>
    </Confirm>
  )
}

/** The limits that can be topped up: all except paused ones. */
export const topUpLimits = ({ limits }: Explanation): Explanation['limits'] =>
  limits.filter(({ winner }) => !isPaused(winner.capacity))

/** Adds an amount to one limit, up to its capacity. */
export const TopUp = ({ entityId, explained, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const limits = topUpLimits(explained)
  const [name, setName] = useState(limits[0]?.name ?? '')
  const [amount, setAmount] = useState('')
  const takesDollars = isMoney(limits.find((limit) => limit.name === name)?.winner.meter)
  const giving = useAction(() =>
    api.send('POST', pathOf('api/limits', entityId, 'top-up'), {
      resource,
      limit_name: name,
      amount: takesDollars ? Math.round(Number(amount) * MICROS_PER_DOLLAR) : Number(amount),
    }),
  )
  return (
    <FormDialog
      title={`Top up ${entityId}`}
      fieldNames={['limit_name', 'amount']}
      submit="Top up"
      action={giving}
      onDone={onDone}
      onClose={onClose}
    >
      <p>Refunds some of what was used on {resource}, up to the capacity.</p>
      <RequiredNote />
      <div class="fields">
        <ChoiceField
          label="Limit"
          value={name}
          options={limits.map((limit) => [limit.name, `${limit.name}: ${sizeText(limit.winner)}`] as const)}
          error={fieldErrorOf(giving.error, 'limit_name')}
          onValue={setName}
        />
        <NumberField
          label={takesDollars ? 'Amount, US dollars' : 'Amount'}
          value={amount}
          required
          min={takesDollars ? 0.000001 : 1}
          step={takesDollars ? 0.000001 : 1}
          error={fieldErrorOf(giving.error, 'amount')}
          onValue={setAmount}
        />
      </div>
    </FormDialog>
  )
}

/** Confirms and resets a bucket. */
export const ResetBuckets = ({ entityId, explained, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const [isForAll, setForAll] = useState(false)
  return (
    <Confirm
      title={`Reset ${entityId}?`}
      action="Reset"
      act={() => api.send('POST', pathOf('api/limits', entityId, 'reset'), isForAll ? {} : { resource })}
      onDone={onDone}
      onClose={onClose}
    >
      <p>All of its limits on {resource} will be full again at once.</p>
      <CheckField label="Also on every other resource" checked={isForAll} onChecked={setForAll} />
    </Confirm>
  )
}
