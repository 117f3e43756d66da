/** A copy without the fields that are undefined: left out means the default, whereas null is invalid where it is checked. */
export const withoutUndefined = <T extends object>(
  fields: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } => {
  const given: { [Name in keyof T]?: Exclude<T[Name], undefined> } = {}
  for (const name in fields) {
    const value = fields[name]
    if (isGiven(value)) given[name] = value
  }
  return given
}

const isGiven = <V>(value: V): value is Exclude<V, undefined> => value !== undefined
