import * as v from 'valibot'

interface Bounds {
  readonly least?: number
  readonly most: number
  /** What completes "<field> must …" where the length is wrong. */
  readonly must: string
}

/**
 * A list whose length is checked before any of its items: a list that is too long costs no more than one that is refused at
 * its first item. A `v.pipe` of `v.array` and `v.maxLength` checks every item first.
 */
export const boundedList = <S extends v.GenericSchema>(item: S, { least = 0, most, must }: Bounds) => {
  const list = v.pipe(v.array(item), v.minLength(least, must), v.maxLength(most, must))
  const lengthOnly = v.pipe(v.any(), v.minLength(least, must), v.maxLength(most, must))
  const run: (typeof list)['~run'] = (dataset, config) => {
    const { value } = dataset
    const isWrong = Array.isArray(value) && (value.length < least || value.length > most)
    if (!isWrong) return list['~run'](dataset, config)
    return lengthOnly['~run'](dataset, config)
  }
  return { ...list, '~run': run }
}

/**
 * An object with known fields and any others. As `v.looseObject`, but the value is passed on as it was sent, not copied field
 * by field, so the work does not grow with the other fields. `entries` must not transform.
 */
export const openObject = <E extends v.ObjectEntries>(entries: E): v.LooseObjectSchema<E, undefined> => {
  const schema = v.looseObject(entries)
  const names = Object.keys(entries)
  return {
    ...schema,
    '~run': ({ value }, config) =>
      Object.assign(schema['~run']({ value: knownPart(value, names) }, config), { value }),
  }
}

const knownPart = (value: unknown, names: readonly string[]): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, Reflect.get(value, name)]),
      )
    : value

/** A schema of objects that takes no list for one: to valibot a list is an object as well. */
export const noList = <S extends v.GenericSchema>(schema: S): S => ({
  ...schema,
  '~run': (dataset, config) =>
    schema['~run'](Array.isArray(dataset.value) ? { value: undefined } : dataset, config),
})

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
