import { ERROR_FEATURES, type Feature, REQUEST_FEATURES } from './clients.ts'
import type { Row } from './results.ts'

const TITLES: Readonly<Partial<Record<Feature, string>>> = {
  retry: '429, waits',
  'no retry': '429, gives up',
  abort: 'leaves a stream',
}

const BEGIN = '<!-- begin: npm run test:compatibility -- --write -->'
const END = '<!-- end -->'

/** Numbers reasons from 1, the same one once. */
const createFootnotes = () => {
  const reasons: string[] = []
  return {
    reasons,
    mark(reason: string): string {
      const known = reasons.indexOf(reason)
      return known >= 0 ? `<sup>${known + 1}</sup>` : `<sup>${reasons.push(reason)}</sup>`
    },
  }
}

const tableOf = (
  rows: readonly Row[],
  features: readonly Feature[],
  mark: (reason: string) => string,
): readonly string[] => {
  const columns = features.map((feature) => TITLES[feature] ?? feature)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const shown = ({ cells }: Row, feature: Feature): string => {
    const cell = cells[feature]
    if ('reason' in cell) return `no ${mark(cell.reason)}`
    return cell.kind === 'yes' ? 'yes' : '–'
  }
  return [
    line(['client', 'version', ...columns]),
    line(['client', 'version', ...columns].map(() => '---')),
    ...rows.map((row) =>
      line([row.client.name, row.version, ...features.map((feature) => shown(row, feature))]),
    ),
  ]
}

/** The document with its tables replaced by those of `rows`. */
export const withTables = (document: string, rows: readonly Row[]): string => {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END, begin)
  if (begin < 0 || end < 0) throw new Error(`the document does not contain ${BEGIN} and ${END}`)
  const { reasons, mark } = createFootnotes()
  const requests = tableOf(rows, REQUEST_FEATURES, mark)
  const errors = tableOf(rows, ERROR_FEATURES, mark)
  const footnotes = reasons.map((reason, index) => `<sup>${index + 1}</sup> ${reason}`)
  const lines = [BEGIN, '', ...requests, '', ...errors, '', ...footnotes.flatMap((note) => [note, ''])]
  return `${document.slice(0, begin)}${lines.join('\n')}${document.slice(end)}`
}
