import { type ComponentProps, Fragment } from 'preact'
import { useId } from 'preact/hooks'
import { TextField } from '../field.tsx'

/** A value, or one with what it is called. */
export type Suggestion = string | readonly [value: string, name: string]

type Props = Omit<ComponentProps<typeof TextField>, 'list'> & {
  readonly suggestions: readonly Suggestion[]
}

/** A line of text that suggests values, and takes others too. */
export const SuggestField = ({ suggestions, ...field }: Props) => {
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
