import './controls.css'
import { useEffect, useId, useState } from 'preact/hooks'

interface SegmentedControlProps<T extends string> {
  /** What is chosen; it is read out, and not shown. */
  readonly label: string
  readonly value: T
  readonly options: readonly (readonly [value: T, name: string])[]
  onValue(value: T): void
}

/** A choice of two or three that all show. */
export const SegmentedControl = <T extends string>({
  label,
  value,
  options,
  onValue,
}: SegmentedControlProps<T>) => {
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

const FEEDBACK_MS = 2000

/** Copies a text, and says so. Where the browser refuses, the text stands there to be copied by hand. */
export const CopyButton = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [said, setSaid] = useState<string | undefined>(undefined)
  useEffect(() => {
    if (said === undefined) return
    const timer = setTimeout(() => setSaid(undefined), FEEDBACK_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Not allowed here'),
    )
  return (
    <button class="button" type="button" onClick={copy} aria-label={`Copy ${what}`}>
      <span aria-live="polite">{said ?? 'Copy'}</span>
    </button>
  )
}
