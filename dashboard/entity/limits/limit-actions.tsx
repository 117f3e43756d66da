import type { ComponentProps } from 'preact'
import { useState } from 'preact/hooks'
import type { Explanation } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { LimitEditor } from '../../limits/limit-editor.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import type { Said } from '../../parts/telling/said.tsx'
import { inheritedLimits, ownLimits } from './buckets.ts'
import { ResetBuckets } from './reset-buckets.tsx'
import { TopUp, toppable } from './top-up.tsx'

interface Props {
  readonly entityId: string
  readonly explained: Explanation
  /** What was done, in words; the button that did it may be gone. */
  onChanged(said: ComponentProps<typeof Said>): void
}

const DONE = {
  edit: 'The limits are saved.',
  inherit: 'The inherited limits apply again.',
  reset: 'The limits are full again.',
  'top-up': 'The limit is topped up.',
} as const
type Open = keyof typeof DONE

/** What can be done to the limits of an entity on a resource, and to its bucket. */
export const LimitActions = ({ entityId, explained, onChanged }: Props) => {
  const [open, setOpen] = useState<Open | undefined>(undefined)
  const dialog = {
    entityId,
    explained,
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
          {toppable(explained).length > 0 && (
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
      {open === 'inherit' && <BackToInherited {...dialog} />}
      {open === 'top-up' && <TopUp {...dialog} />}
      {open === 'reset' && <ResetBuckets {...dialog} />}
    </div>
  )
}

export interface LimitDialogProps {
  readonly entityId: string
  readonly explained: Explanation
  onDone(): void
  onClose(): void
}

const EditLimits = ({ entityId, explained, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  return (
    <LimitEditor
      title={`Limits of ${entityId} on ${resource}`}
      limits={ownLimits(explained)}
      inherited={inheritedLimits(explained)}
      save={(limits) => api.send('PUT', pathOf('api/limits', entityId), { resource, limits })}
      onSaved={onDone}
      onClose={onClose}
    />
  )
}

const BackToInherited = ({ entityId, explained, onDone, onClose }: LimitDialogProps) => {
  const { api } = useSession()
  const { resource } = explained
  const names = ownLimits(explained).map(({ name }) => name)
  return (
    <Confirm
      title="Use inherited limits?"
      action="Remove these limits"
      act={() => api.send('DELETE', `${pathOf('api/limits', entityId)}?${new URLSearchParams({ resource })}`)}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        {names.join(', ')} of {entityId} on {resource} will be removed. The audit log keeps a record of them.
      </p>
    </Confirm>
  )
}
