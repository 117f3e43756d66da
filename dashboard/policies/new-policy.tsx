import { useState } from 'preact/hooks'
import type { Models, Policy } from '../api/answers.ts'
import { ApiError } from '../api/api.ts'
import { fieldErrorOf } from '../api/field-error.ts'
import { useSession } from '../api/session.tsx'
import { useAction } from '../api/use-action.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Dialog } from '../parts/dialog.tsx'
import { ChoiceField, RequiredNote } from '../parts/field.tsx'
import { ErrorNotice } from '../parts/notice.tsx'
import { draftedKey, type KeyDraft, NEW_KEY, type PolicyKey, policyPath } from './policy-key.ts'
import { SCOPES } from './scopes.ts'
import { SelectorFields } from './selector-fields.tsx'

interface Props {
  /** `existing`: it is there already, with these limits. */
  onKey(key: PolicyKey, existing: Policy | undefined): void
  onClose(): void
}

const OPTIONS = SCOPES.map(({ scope, name }) => [scope, `${name} (${scope})`] as const)

/** Asks what a new policy applies to; its limits come after that. */
export const NewPolicy = ({ onKey, onClose }: Props) => {
  const { api } = useSession()
  const [draft, setDraft] = useState(NEW_KEY)
  const models = useAnswer((signal) => api.get<Models>('api/models', {}, signal), [])
  const looking = useAction(async () => {
    const key = draftedKey(draft)
    onKey(key, await api.get<Policy>(policyPath(key)).catch(nothingIfMissing))
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void looking.run()
  }
  const change = (changes: Partial<KeyDraft>) => {
    looking.clear()
    setDraft({ ...draft, ...changes })
  }
  const error = fieldErrorOf(looking.error, 'selector')
  const { meaning } = SCOPES.find(({ scope }) => scope === draft.scope) ?? {}
  return (
    <Dialog title="New policy" onClose={onClose}>
      <form class="new-policy" onSubmit={submit}>
        <ChoiceField
          label="Applies to"
          value={draft.scope}
          options={OPTIONS}
          hint={meaning}
          onValue={(value) => change({ scope: scopeOf(value) })}
        />
        {draft.scope !== 'GLOBAL' && <RequiredNote />}
        <SelectorFields draft={draft} models={models.data?.items ?? []} error={error} onChange={change} />
        <ErrorNotice error={error === undefined ? looking.error : undefined} />
        <div class="actions">
          <button class="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button primary" type="submit" disabled={looking.isRunning}>
            Continue to its limits
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const scopeOf = (value: string): KeyDraft['scope'] =>
  SCOPES.find(({ scope }) => scope === value)?.scope ?? NEW_KEY.scope

const nothingIfMissing = (error: unknown): undefined => {
  if (!(error instanceof ApiError) || error.status !== 404) throw error
}
