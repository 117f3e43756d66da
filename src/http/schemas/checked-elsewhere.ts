import type * as v from 'valibot'

/**
 * A schema that describes, and lets any value pass: for input that the core checks by itself, with better errors than
 * a schema's, so that there is one place that says what is right.
 */
export const checkedElsewhere = <S extends v.GenericSchema>(
  schema: S,
): v.GenericSchema<unknown, unknown> => ({
  ...schema,
  '~run': (dataset) => ({ ...dataset, typed: true }),
})
