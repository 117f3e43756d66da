import { type Column, markdownTable } from '../markdown.ts'
import type { Part } from '../part.ts'
import {
  EXPRESSION_BYTES,
  EXPRESSION_OPERATORS,
  type ExpressionSize,
  longestExpressions,
} from './expression-sizes.ts'
import { constantItems, type ItemSizeRow, slidingItem } from './item-sizes.ts'

const WINDOWS_SECONDS = [10, 60, 3600, 86_400]
const SLOTS = [30, 60]
const COUNTS = [1, 2, 3] as const

/** The maximum sizes of items, and of the expressions that write them. */
export const sizesPart: Part = {
  name: 'sizes',
  title: 'Items and expressions',
  async run() {
    const items = [...(await constantItems()), ...(await slidingItems())]
    const expressions = await longestExpressions()
    return {
      rows: [...items, ...expressions],
      markdown: `${markdownTable(ITEM_COLUMNS, items)}\n\n${markdownTable(EXPRESSION_COLUMNS, expressions)}`,
      failures: expressions.filter(isTooLong).map(({ expression }) => `a ${expression} is too long`),
      passed: expressions.filter((size) => !isTooLong(size)).length,
      failed: expressions.filter(isTooLong).length,
    }
  },
}

const slidingItems = async (): Promise<readonly ItemSizeRow[]> => {
  const rows: ItemSizeRow[] = []
  for (const windowSeconds of WINDOWS_SECONDS)
    for (const slots of SLOTS)
      for (const count of COUNTS) rows.push(await slidingItem(count, windowSeconds, slots))
  return rows
}

const isTooLong = ({ bytes, operators }: ExpressionSize): boolean =>
  bytes > EXPRESSION_BYTES || operators > EXPRESSION_OPERATORS

const ITEM_COLUMNS: readonly Column<ItemSizeRow>[] = [
  ['limits of one bucket', ({ limits }) => limits],
  ['marks of each', ({ marks }) => (marks === 0 ? '–' : marks)],
  ['item, bytes', ({ bytes }) => bytes],
  ['write units', (row) => row.writeUnits],
]

const EXPRESSION_COLUMNS: readonly Column<ExpressionSize>[] = [
  ['longest expression', ({ expression }) => expression],
  [`bytes, of ${EXPRESSION_BYTES}`, ({ bytes }) => bytes],
  [`operators and functions, of ${EXPRESSION_OPERATORS}`, ({ operators }) => operators],
]
