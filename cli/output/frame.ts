import type { LimitState } from '../limits/state-text.ts'
import { barText, markOf, percentText } from './bar.ts'
import { numberText } from './table.ts'
import { padded, printable, type Style, widthOf } from './text.ts'

export interface FrameOptions {
  readonly columns: number
  readonly rows: number
  /** The first line. */
  readonly title: string
  readonly style: Style
}

const LONGEST_NAME = 32
const WIDEST_BAR = 40
const NARROWEST_BAR = 8

/** The part of a text that fits into `width` columns; an ellipsis marks what is left out. */
export const fitted = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  let shown = ''
  for (const character of text) {
    if (widthOf(shown + character) > width - 1) break
    shown += character
  }
  return `${shown}…`
}

/** The most used limits first, then by name. */
const ordered = (states: readonly LimitState[]): readonly LimitState[] =>
  states.toSorted(
    (a, b) =>
      b.percent - a.percent ||
      a.entity.localeCompare(b.entity) ||
      a.resource.localeCompare(b.resource) ||
      a.name.localeCompare(b.name),
  )

/**
 * A screen of bars, one line per limit, in at most `rows` lines of `columns` columns: plain data becomes text, and nothing else
 * depends on time or on a terminal.
 */
export const frameText = (states: readonly LimitState[], options: FrameOptions): string => {
  const { columns, rows, title, style } = options
  const room = Math.max(1, rows - 2)
  const all = ordered(states)
  const shown = all.length > room ? all.slice(0, room - 1) : all
  const hidden = all.length - shown.length
  const lines = [
    style.bold(fitted(printable(title), columns)),
    ...barLines(shown, columns, style),
    ...(all.length === 0 ? ['no limits'] : []),
    ...(hidden > 0 ? [style.dim(`… and ${hidden} more`)] : []),
  ]
  return `${lines.join('\n')}\n`
}

const barLines = (states: readonly LimitState[], columns: number, style: Style): readonly string[] => {
  const names = column(states.map(({ entity }) => entity))
  const limits = column(states.map(({ resource, name }) => `${resource} ${name}`))
  const amounts = states.map(({ used, capacity }) => `${numberText(used)}/${numberText(capacity)}`)
  const widest = Math.max(0, ...amounts.map(widthOf))
  const taken = widthOf(names[0] ?? '') + widthOf(limits[0] ?? '') + widest + '100.0 %'.length + 4 * 2
  const width = Math.min(WIDEST_BAR, Math.max(NARROWEST_BAR, columns - taken))
  return states.map(({ percent }, index) => {
    const mark = markOf(percent, style)
    const [before, after] = [
      `${names[index]}  ${limits[index]}  `,
      `  ${padded(percentText(percent), 7, true)}  ${padded(amounts[index] ?? '', widest, true)}`,
    ]
    const bar = barText(percent, width)
    // a terminal that is too narrow for the bar shows the names
    return widthOf(before) + width + widthOf(after) > columns
      ? fitted(`${before}${after.trim()}`, columns)
      : `${before}${mark(bar)}${after}`
  })
}

const column = (texts: readonly string[]): readonly string[] => {
  const shown = texts.map((text) => fitted(printable(text), LONGEST_NAME))
  const width = Math.max(0, ...shown.map(widthOf))
  return shown.map((text) => padded(text, width))
}
