import type * as v from 'valibot'

/** A schema of objects that takes no list for one: to valibot a list is an object as well. */
export const noList = <S extends v.GenericSchema>(schema: S): S => ({
  ...schema,
  '~run': (dataset, config) =>
    schema['~run'](Array.isArray(dataset.value) ? { value: undefined } : dataset, config),
})
