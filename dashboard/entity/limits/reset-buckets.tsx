import { useState } from 'preact/hooks'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { CheckField } from '../../parts/field.tsx'
import type { LimitDialogProps } from './limit-actions.tsx'

/** Asks before buckets are made full again. */
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
