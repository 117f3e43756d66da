import { faultOf, withoutField } from '../api/field-error.ts'

/** What the API says no to in one field of one limit. */
export interface LimitError {
  readonly index: number
  /** As the API calls it: `capacity`, `headroom.low`. */
  readonly field: string
  /** `Must be a positive integer` */
  readonly text: string
}

/** The field of a limit that an error names, if it names one (`limits[0].capacity`). */
export const limitErrorOf = (error: Error | undefined): LimitError | undefined => {
  const [whole, index, field] = /^limits\[(\d+)\]\.(.+)$/.exec(faultOf(error) ?? '') ?? []
  if (error === undefined || whole === undefined || field === undefined) return undefined
  return { index: Number(index), field, text: withoutField(error.message, whole) }
}
