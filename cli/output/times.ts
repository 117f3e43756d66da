import { numberText } from './table.ts'

/** A time of the API, in seconds since the epoch, as `2026-11-30 15:04:05Z`; null: none. */
export const timeText = (seconds: number | null): string | null =>
  seconds === null ? null : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}Z`

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const

/** A duration in at most two units: `1d 2h`, `3m 20s`, `5.2s`; null: never. */
export const durationText = (seconds: number | null): string => {
  if (seconds === null) return 'never'
  const tenths = Math.round(seconds * 10) / 10
  if (tenths < 60) return `${numberText(tenths)}s`
  const whole = Math.ceil(tenths)
  const [unit, size] = UNITS.find(([, length]) => whole >= length) ?? ['m', 60]
  const rest = whole % size
  const [smaller, smallerSize] = UNITS[UNITS.findIndex(([name]) => name === unit) + 1] ?? ['s', 1]
  const count = Math.floor(rest / smallerSize)
  return `${Math.floor(whole / size)}${unit}${count > 0 ? ` ${count}${smaller}` : ''}`
}
