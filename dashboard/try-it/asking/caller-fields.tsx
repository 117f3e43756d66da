import { useId, useState } from 'preact/hooks'
import { useSession } from '../../api/session.tsx'
import { Segments } from '../../parts/choosing/segments.tsx'
import { described, Labelled } from '../../parts/field.tsx'
import { EntityField } from '../../parts/suggesting/entity-field.tsx'
import type { DraftProps } from './request-form.tsx'

const KINDS = [
  ['entity', 'As an entity'],
  ['key', 'With a key'],
] as const

/** The caller: an entity that the admin acts for, or the owner of a pasted key. */
export const CallerFields = ({ draft, mistakes, change }: DraftProps) => {
  const { mayWrite } = useSession()
  return (
    <div class="caller-fields">
      {mayWrite ? (
        <Segments
          label="Send as"
          value={draft.callerKind}
          options={KINDS}
          onValue={(callerKind) => change({ callerKind })}
        />
      ) : (
        <p class="quiet">
          The viewer token can only read, so it cannot send requests as an entity. Paste the key of a caller:
          the requests count against the limits of that caller.
        </p>
      )}
      {draft.callerKind === 'entity' ? (
        <EntityField
          label="Entity"
          placeholder="key-bob"
          value={draft.entityId}
          required
          error={mistakes.entityId}
          hint="Requests are sent as this entity, and its limits are charged."
          onValue={(entityId) => change({ entityId })}
        />
      ) : (
        <KeyField value={draft.key} error={mistakes.key} onKey={(key) => change({ key })} />
      )}
    </div>
  )
}

interface KeyProps {
  readonly value: string
  readonly error: string | undefined
  onKey(key: string): void
}

/** A key is asked about once it is whole: each wrong one counts as a failed authentication. */
const KeyField = ({ value, error, onKey }: KeyProps) => {
  const id = useId()
  // what is typed is nobody else's before it is whole, and must outlast whatever is shown anew meanwhile
  const [typed, setTyped] = useState(value)
  return (
    <Labelled
      id={id}
      label="API key"
      required
      error={error}
      hint="Kept in memory only, and cleared when you leave this view."
    >
      <input
        {...described(id, error)}
        type="password"
        required
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => onKey(event.currentTarget.value)}
      />
    </Labelled>
  )
}
