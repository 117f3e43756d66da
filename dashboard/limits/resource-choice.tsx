import './limits.css'
import { useState } from 'preact/hooks'
import { useModelIds } from '../api/hooks.ts'
import { ChoiceField, TextField } from '../parts/fields.tsx'
import { checkResource } from '../parts/name-rules.ts'

const SPECIAL = [
  ['_default_', '_default_: for each resource'],
  ['_total_', '_total_: all resources together'],
  ['_other_', '_other_: all unregistered'],
] as const

const ANOTHER = ''

interface Props {
  readonly resource: string
  onResource(resource: string): void
}

/** Which resource the limits are for: a registered model, a special one, or any other name. */
export const ResourceChoice = ({ resource, onResource }: Props) => {
  const models = useModelIds()
  const [another, setAnother] = useState<string | undefined>(undefined)
  const known = [...new Set([...SPECIAL.map(([name]) => name), ...models, resource])]
  const named = new Map<string, string>(SPECIAL)
  const choose = (value: string) => {
    setAnother(value === ANOTHER ? '' : undefined)
    if (value !== ANOTHER) onResource(value)
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const name = another?.trim()
    if (name) choose(name)
  }
  return (
    <form class="field-row resource-choice" onSubmit={submit}>
      <ChoiceField
        label="Resource"
        value={another === undefined ? resource : ANOTHER}
        options={[...known.map((name) => [name, named.get(name) ?? name] as const), [ANOTHER, 'Another…']]}
        onValue={choose}
      />
      {another !== undefined && (
        <>
          <TextField
            label="Name of the resource"
            value={another}
            required
            check={checkResource}
            onValue={setAnother}
          />
          <button class="button" type="submit">
            Show
          </button>
        </>
      )}
    </form>
  )
}
