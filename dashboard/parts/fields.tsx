import { type ComponentChildren, type ComponentProps, Fragment } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useDebounced, useQuery } from '../api/hooks.ts'
import type { Entities } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'

interface Common {
  readonly label: string
  readonly hint?: string | undefined
  /** The error of the current value. */
  readonly error?: string | undefined
  readonly value: string
  onValue(value: string): void
}

interface TextProps extends Common {
  readonly placeholder?: string | undefined
  readonly required?: boolean
  readonly disabled?: boolean
  /** The id of a `datalist` with suggestions. */
  readonly list?: string | undefined
  /** Validates the value; the error is shown once the field has lost the focus. */
  check?(value: string): string | undefined
}

/** A labelled text input with its hint and its error. A form with an invalid value cannot be submitted. */
export const TextField = ({ label, hint, error, check, onValue, ...input }: TextProps) => {
  const id = useId()
  const { element, problem, touch } = useValidity(input.value, check)
  const shown = error ?? problem
  return (
    <LabelledField id={id} label={label} hint={hint} error={shown} required={input.required}>
      <input
        {...input}
        {...inputProps(id, shown)}
        ref={element}
        type="text"
        onBlur={touch}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </LabelledField>
  )
}

/** An empty value is valid here; the browser checks `required`. */
const useValidity = (value: string, check: TextProps['check']) => {
  const element = useRef<HTMLInputElement>(null)
  const [isTouched, setTouched] = useState(false)
  const problem = value.trim() === '' ? undefined : check?.(value.trim())
  useEffect(() => element.current?.setCustomValidity(problem ?? ''), [problem])
  return { element, problem: isTouched ? problem : undefined, touch: () => setTouched(true) }
}

interface NumberProps extends Common {
  readonly required?: boolean
  readonly disabled?: boolean
  readonly min?: number
  readonly max?: number
  readonly step?: number | 'any'
}

/** A labelled number input; its value is the text as typed. */
export const NumberField = ({ label, hint, error, onValue, ...input }: NumberProps) => {
  const id = useId()
  return (
    <LabelledField id={id} label={label} hint={hint} error={error} required={input.required}>
      <input
        {...input}
        {...inputProps(id, error)}
        type="number"
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </LabelledField>
  )
}

interface LabelledFieldProps extends Pick<Common, 'label' | 'hint' | 'error'> {
  /** The id of the input in the children. */
  readonly id: string
  readonly required?: boolean | undefined
  readonly children: ComponentChildren
}

/** An input below its label, and above its hint or error. */
export const LabelledField = ({ id, label, hint, error, required, children }: LabelledFieldProps) => (
  <div class="field">
    <label class={required ? 'field-label required' : 'field-label'} for={id}>
      {label}
    </label>
    {children}
    <FieldNote id={id} hint={hint} error={error} />
  </div>
)

export const inputProps = (id: string, error: string | undefined) => ({
  id,
  'aria-invalid': error !== undefined,
  'aria-describedby': `${id}-note`,
})

interface ChoiceProps<T extends string> extends Omit<Common, 'value' | 'onValue'> {
  readonly disabled?: boolean
  readonly value: T
  /** Values, or values with labels. */
  readonly options: readonly (T | readonly [value: T, name: string])[]
  onValue(value: T): void
}

/** A labelled list box. */
export const ChoiceField = <T extends string>(props: ChoiceProps<T>) => {
  const { label, hint, error, options, onValue, ...select } = props
  const id = useId()
  const choices = options.map((option) => (typeof option === 'string' ? ([option, option] as const) : option))
  const choose = (text: string) => {
    const [chosen] = choices.find(([value]) => value === text) ?? []
    if (chosen !== undefined) onValue(chosen)
  }
  return (
    <LabelledField id={id} label={label} hint={hint} error={error}>
      <select {...select} {...inputProps(id, error)} onChange={(event) => choose(event.currentTarget.value)}>
        {choices.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </LabelledField>
  )
}

interface CheckProps {
  readonly label: string
  readonly hint?: string | undefined
  readonly checked: boolean
  readonly disabled?: boolean
  onChecked(checked: boolean): void
}

/** A labelled checkbox with its hint. */
export const CheckField = ({ label, hint, onChecked, ...input }: CheckProps) => {
  const id = useId()
  return (
    <div class="field">
      <label class="check">
        <input
          {...input}
          type="checkbox"
          aria-describedby={`${id}-note`}
          onChange={(event) => onChecked(event.currentTarget.checked)}
        />
        {label}
      </label>
      <FieldNote id={id} hint={hint} error={undefined} />
    </div>
  )
}

const FieldNote = ({ id, hint, error }: { readonly id: string } & Pick<Common, 'hint' | 'error'>) => (
  <span id={`${id}-note`} class={error === undefined ? 'field-hint' : 'field-error'}>
    {error ?? hint}
  </span>
)

/** Explains the mark of required fields, in forms that have some. */
export const RequiredNote = () => (
  <p class="required-note" aria-hidden="true">
    required
  </p>
)

/** A value, or a value with a label. */
export type Suggestion = string | readonly [value: string, name: string]

type SuggestFieldProps = Omit<ComponentProps<typeof TextField>, 'list'> & {
  readonly suggestions: readonly Suggestion[]
}

/** A text input with suggestions; other values are allowed. */
export const SuggestField = ({ suggestions, ...field }: SuggestFieldProps) => {
  const list = useId()
  return (
    <Fragment>
      <TextField {...field} list={list} />
      <datalist id={list}>
        {suggestions.map((suggestion) => {
          const [value, name] = typeof suggestion === 'string' ? [suggestion, undefined] : suggestion
          return (
            <option key={value} value={value}>
              {name}
            </option>
          )
        })}
      </datalist>
    </Fragment>
  )
}

const SUGGESTED = 20

type EntityFieldProps = Omit<ComponentProps<typeof SuggestField>, 'suggestions'>

/** The id of an entity; suggests entities whose id or name contains the text. */
export const EntityField = (field: EntityFieldProps) => {
  const { api } = useSession()
  const typed = useDebounced(field.value.trim())
  const { data } = useQuery(
    (signal) => api.get<Entities>('api/entities', { q: typed || undefined, limit: SUGGESTED }, signal),
    [typed],
  )
  const suggestions = (data?.items ?? []).map(({ entity_id, name }) => [entity_id, name] as const)
  return <SuggestField {...field} suggestions={suggestions} />
}
