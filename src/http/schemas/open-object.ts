import * as v from 'valibot'

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
