import './controls.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'

interface SegmentedControlProps<T extends string> {
  /** For screen readers only. */
  readonly label: string
  readonly value: T
  readonly options: readonly (readonly [value: T, name: string])[]
  onValue(value: T): void
}

/** A choice of two or three visible options. */
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

interface RowButtonProps {
  /** `Edit` */
  readonly action: string
  /** The thing in the row, for screen readers: `key-bob`. */
  readonly name: string
  readonly isDangerous?: boolean
  onClick(): void
}

/** A small button in the row of the thing that it acts on. */
export const RowButton = ({ action, name, isDangerous = false, onClick }: RowButtonProps) => (
  <button
    class={isDangerous ? 'button small danger' : 'button small'}
    type="button"
    aria-label={`${action} ${name}`}
    onClick={onClick}
  >
    {action}
  </button>
)

/** The older entries of a list, once they are requested. */
export const Older = ({ children }: { readonly children: ComponentChildren }) => {
  const [isShown, setShown] = useState(false)
  if (isShown) return <>{children}</>
  return (
    <div class="actions">
      <button class="button" type="button" onClick={() => setShown(true)}>
        Show older
      </button>
    </div>
  )
}

const FEEDBACK_MS = 2000

/**
 * Copies a text, and confirms it. The text must be visible too: the browser may deny access to the clipboard.
 */
export const CopyButton = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [feedback, setFeedback] = useState<string | undefined>(undefined)
  useEffect(() => {
    if (feedback === undefined) return
    const timer = setTimeout(() => setFeedback(undefined), FEEDBACK_MS)
    return () => clearTimeout(timer)
  }, [feedback])
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setFeedback('Copied'),
      () => setFeedback('Not allowed here'),
    )
  return (
    <button class="button" type="button" onClick={copy} aria-label={`Copy ${what}`}>
      <span aria-live="polite">{feedback ?? 'Copy'}</span>
    </button>
  )
}
