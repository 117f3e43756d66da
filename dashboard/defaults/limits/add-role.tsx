import { useState } from 'preact/hooks'
import { checkId } from '../../parts/checking/name-rules.ts'
import { TextField } from '../../parts/field.tsx'

/** Shows the defaults of a role that no entity has yet. */
export const AddRole = ({ onRole }: { onRole(role: string): void }) => {
  const [role, setRole] = useState('')
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (role.trim() === '') return
    onRole(role.trim())
    setRole('')
  }
  return (
    <form class="add-role" onSubmit={submit}>
      <TextField label="Another role" value={role} required check={checkId} onValue={setRole} />
      <button class="button" type="submit">
        Show
      </button>
    </form>
  )
}
