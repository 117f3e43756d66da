/** A table column: its heading and the text of its cell for a row. */
export type Column<Row> = readonly [heading: string, show: (row: Row) => string | number]

export const markdownTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([heading]) => heading)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map(([, show]) => show(row)))),
  ].join('\n')
}

/**
 * Returns `document` with the text between `<!-- <name> -->` and `<!-- /<name> -->` replaced. Throws if the markers are
 * missing.
 */
export const withSection = (document: string, name: string, section: string): string => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no section ${name}: ${begin} … ${end}`)
  return `${document.slice(0, from + begin.length)}\n${section}\n${document.slice(to)}`
}
