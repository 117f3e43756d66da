import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface Common {
  readonly label: string
  readonly hint?: string | undefined
  /** What is wrong with it. */
  readonly error?: string | undefined
  readonly value: string
  onValue(value: string): void
}

interface TextProps extends Common {
  readonly placeholder?: string | undefined
  readonly required?: boolean
  readonly disabled?: boolean
  /** The id of a datalist that suggests values. */
  readonly list?: string | undefined
}

/** A labelled line of text with its hint and its error. */
export const TextField = ({ label, hint, error, onValue, ...input }: TextProps) => {
  const id = useId()
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <input
        {...input}
        {...described(id, error)}
        type="text"
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </Labelled>
  )
}

interface NumberProps extends Common {
  readonly required?: boolean
  readonly disabled?: boolean
  readonly min?: number
  readonly max?: number
  readonly step?: number | 'any'
}

/** A labelled number; its value is what was typed, as text. */
export const NumberField = ({ label, hint, error, onValue, ...input }: NumberProps) => {
  const id = useId()
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <input
        {...input}
        {...described(id, error)}
        type="number"
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </Labelled>
  )
}

interface LabelledProps extends Pick<Common, 'label' | 'hint' | 'error'> {
  /** Of the input among the children. */
  readonly id: string
  readonly children: ComponentChildren
}

/** An input below its label, and above its hint or what is wrong with it. */
const Labelled = ({ id, label, hint, error, children }: LabelledProps) => (
  <div class="field">
    <label class="field-label" for={id}>
      {label}
    </label>
    {children}
    <FieldNote id={id} hint={hint} error={error} />
  </div>
)

const described = (id: string, error: string | undefined) => ({
  id,
  'aria-invalid': error !== undefined,
  'aria-describedby': `${id}-note`,
})

interface ChoiceProps extends Common {
  readonly disabled?: boolean
  /** Values, or values with the names they are shown by. */
  readonly options: readonly (string | readonly [value: string, name: string])[]
}

/** A labelled choice of a few values. */
export const ChoiceField = ({ label, hint, error, options, onValue, ...select }: ChoiceProps) => {
  const id = useId()
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <select {...select} {...described(id, error)} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map((option) => {
          const [value, name] = typeof option === 'string' ? [option, option] : option
          return (
            <option key={value} value={value}>
              {name}
            </option>
          )
        })}
      </select>
    </Labelled>
  )
}

interface CheckProps {
  readonly label: string
  readonly hint?: string | undefined
  readonly checked: boolean
  readonly disabled?: boolean
  onChecked(checked: boolean): void
}

/** A labelled yes or no, with what it means. */
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
