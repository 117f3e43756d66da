import { type Api, IF_NONE, unchangedSince } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { useQuery } from '../api/hooks.ts'
import type { Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { type EditedSet, LimitEditor } from '../limits/limit-editor.tsx'
import { LimitList } from '../limits/limit-list.tsx'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { ErrorNotice, Notice } from '../parts/notices.tsx'
import { keyOf, keyText, type PolicyKey, type PolicyScope, policyPath } from '../parts/policy-key.ts'
import { NamedBucketDialog } from './named-bucket.tsx'
import { NewPolicy } from './new-policy.tsx'

/** The dialog that is open. */
export type PolicyTask =
  | { readonly kind: 'choose' }
  | {
      readonly kind: 'edit'
      readonly key: PolicyKey
      readonly existing: Policy | undefined
      /** Whether the user meant to create it. */
      readonly existedAlready?: boolean
    }
  | { readonly kind: 'reset' | 'delete'; readonly policy: Policy }
  | { readonly kind: 'look-up'; readonly scope: PolicyScope }

interface Props {
  readonly task: PolicyTask
  onTask(task: PolicyTask): void
  /** Called with the text of the success message. */
  onDone(text: string): void
  onClose(): void
}

export const PolicyDialog = ({ task, onTask, onDone, onClose }: Props) => {
  switch (task.kind) {
    case 'choose':
      return (
        <NewPolicy
          onKey={(key, existing) =>
            onTask({ kind: 'edit', key, existing, existedAlready: existing !== undefined })
          }
          onClose={onClose}
        />
      )
    case 'edit':
      return <EditPolicy task={task} onDone={onDone} onClose={onClose} />
    case 'look-up':
      return <NamedBucketDialog scope={task.scope} onClose={onClose} />
    case 'reset':
      return <ResetPolicy policy={task.policy} onDone={onDone} onClose={onClose} />
    case 'delete':
      return <DeletePolicy policy={task.policy} onDone={onDone} onClose={onClose} />
  }
}

type EditProps = Pick<Props, 'onDone' | 'onClose'> & {
  readonly task: Extract<PolicyTask, { kind: 'edit' }>
}

const EditPolicy = ({ task: { key, existing, existedAlready }, onDone, onClose }: EditProps) => {
  const { api } = useSession()
  const name = keyText(key)
  const { data, error } = useQuery((signal) => readPolicy(api, key, signal), [policyPath(key)])
  if (error !== undefined)
    return (
      <Dialog title={`Limits of ${name}`} onClose={onClose}>
        <ErrorNotice error={error} />
      </Dialog>
    )
  if (data === undefined) return null
  return (
    <LimitEditor
      title={`Limits of ${name}`}
      set={data}
      read={() => readPolicy(api, key)}
      save={(limits, condition) => api.send('PUT', policyPath(key), { limits }, condition)}
      onSaved={() => onDone(`${name} is ${existing ? 'changed' : 'set'}. It applies from the next request.`)}
      onClose={onClose}
    >
      {existedAlready && <Notice kind="info">This policy already exists. These are its limits.</Notice>}
    </LimitEditor>
  )
}

/** Without limits if there is no such policy: then it may only be created. */
const readPolicy = async (api: Api, key: PolicyKey, signal?: AbortSignal): Promise<EditedSet> => {
  try {
    const tagged = await api.getTagged<Policy>(policyPath(key), {}, signal)
    return { limits: tagged.body.limits, inherited: [], condition: unchangedSince(tagged) }
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    return { limits: [], inherited: [], condition: IF_NONE }
  }
}

type PolicyProps = Pick<Props, 'onDone' | 'onClose'> & { readonly policy: Policy }

const ResetPolicy = ({ policy, onDone, onClose }: PolicyProps) => {
  const { api } = useSession()
  return (
    <Confirm
      title={`Reset ${policy.label}?`}
      action={`Reset ${policy.label}`}
      act={() => api.send('POST', `${policyPath(keyOf(policy))}/reset`)}
      onDone={() => onDone(`${policy.label} is reset: its limits are full again.`)}
      onClose={onClose}
    >
      <p>These limits become full again for everyone who shares them:</p>
      <LimitList limits={policy.limits} />
    </Confirm>
  )
}

const DeletePolicy = ({ policy, onDone, onClose }: PolicyProps) => {
  const { api } = useSession()
  const key = keyOf(policy)
  const { data } = useQuery((signal) => readPolicy(api, key, signal), [policyPath(key)])
  return (
    <Confirm
      title={`Delete ${policy.label}?`}
      action={`Delete ${policy.label}`}
      act={() => api.send('DELETE', policyPath(key), undefined, data?.condition)}
      onDone={() => onDone(`${policy.label} is deleted.`)}
      onClose={onClose}
    >
      <p>These limits no longer apply, and their recorded use is deleted:</p>
      <LimitList limits={data?.limits ?? policy.limits} />
    </Confirm>
  )
}
