const SIGNIFICANT = 3

/** A number with three significant digits and no exponent: 274000, 12.3, 0.000124. */
export const figure = (value: number): string => {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const decimals = Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(Math.abs(value))))
  const rounded = Number(value.toPrecision(SIGNIFICANT))
  return rounded.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 12) })
}
