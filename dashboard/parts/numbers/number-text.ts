const numbers = new Intl.NumberFormat('en-US')

/** A whole number with its thousands apart. */
export const numberText = (value: number): string => numbers.format(value)
