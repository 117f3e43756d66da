import './segments.css'
import { useId } from 'preact/hooks'

interface Props<T extends string> {
  /** What is chosen; it is read out, and not shown. */
  readonly label: string
  readonly value: T
  readonly options: readonly (readonly [value: T, name: string])[]
  onValue(value: T): void
}

/** A choice of two or three that all show. */
export const Segments = <T extends string>({ label, value, options, onValue }: Props<T>) => {
  const name = useId()
  return (
    <fieldset class="choice-strip">
      <legend class="unseen">{label}</legend>
      {options.map(([each, text]) => (
        <label class="choice-strip-option" key={each}>
          <input type="radio" name={name} checked={each === value} onChange={() => onValue(each)} />
          {text}
        </label>
      ))}
    </fieldset>
  )
}
