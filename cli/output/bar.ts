import type { Style } from './text.ts'

const FULL = '█'
const EMPTY = '░'
/** The parts of a column, in eighths. */
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

const WARNED_PERCENT = 80

/** The mark of a share in use: from 80 % on a warning, at 100 % an alarm. */
export const markOf = (percent: number, { green, yellow, red }: Style): ((text: string) => string) => {
  if (percent >= 100) return red
  return percent >= WARNED_PERCENT ? yellow : green
}

/** A bar of `width` columns, of which `percent` are in use: 0 to 100. */
export const barText = (percent: number, width: number): string => {
  const eighths = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * width * 8)
  // a share above 0 is visible, and one below 100 leaves a gap
  const most = percent < 100 ? width * 8 - 1 : width * 8
  const shown = Math.min(Math.max(eighths, percent > 0 ? 1 : 0), most)
  const used = `${FULL.repeat(Math.floor(shown / 8))}${PARTS[shown % 8]}`
  return used + EMPTY.repeat(width - used.length)
}

/** `62.5 %` */
export const percentText = (percent: number): string => `${percent.toFixed(1)} %`
