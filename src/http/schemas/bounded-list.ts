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
