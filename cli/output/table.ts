import { PLAIN, padded, printable, type Style, widthOf } from './text.ts'

/** The text of a cell; null and undefined are shown as `-`. */
export type Cell = string | number | boolean | null | undefined

/** A column: its heading, and its cell of a row. */
export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => Cell
  /** The mark of the cell, which does not change its width. */
  readonly mark?: (row: Row) => (text: string) => string
  /** Aligned at the end. Default: where every cell is a number. */
  readonly isNumber?: boolean
}

const GAP = '  '

export const cellText = (cell: Cell): string => {
  if (cell === null || cell === undefined || cell === '') return '-'
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no'
  return typeof cell === 'number' ? numberText(cell) : printable(cell)
}

const numbers = new Intl.NumberFormat('en-US', { useGrouping: false, maximumFractionDigits: 6 })

/** A number with at most six decimals, without separators, so that it can be copied. */
export const numberText = (value: number): string => numbers.format(value)

/** Aligned columns below their headings, one line per row, with a line break at the end. */
export const tableText = <Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style = PLAIN,
): string => {
  const laidOut = columns.map(({ heading, cell, isNumber, mark }) => {
    const cells = rows.map(cell)
    const texts = cells.map(cellText)
    const width = Math.max(widthOf(heading), ...texts.map(widthOf))
    const isRight = isNumber ?? (cells.length > 0 && cells.every((each) => typeof each === 'number'))
    const marks = rows.map((row) => mark?.(row) ?? ((text: string) => text))
    return {
      heading: padded(heading, width, isRight),
      cells: texts.map((text) => padded(text, width, isRight)),
      marks,
    }
  })
  const head = style.bold(
    laidOut
      .map(({ heading }) => heading)
      .join(GAP)
      .trimEnd(),
  )
  const body = rows.map((_, row) =>
    laidOut
      .map(({ cells, marks }) => marks[row]?.(cells[row] ?? '') ?? '')
      .join(GAP)
      .trimEnd(),
  )
  return `${[head, ...body].join('\n')}\n`
}

/** One field per line, its name before its value; a field that is undefined is left out. */
export const fieldsText = (fields: Readonly<Record<string, Cell>>, style: Style = PLAIN): string => {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)))
  return shown.map(([name, value]) => `${style.dim(padded(name, width))}${GAP}${cellText(value)}\n`).join('')
}
