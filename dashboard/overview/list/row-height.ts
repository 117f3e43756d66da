import type { DashboardEntity } from '../../api/answers.ts'
import { amountText } from '../../parts/numbers/amount-text.ts'

type ListedLimit = DashboardEntity['limits'][number]

/** px, as `entity-list.css` draws rows: a list of any length is laid out by these numbers alone. */
const PADDING = 21
const IDENTITY = 44
const WIDE_LIMIT = 24
const NARROW_LIMIT = 36
/** What the second line of long amounts takes. */
const SECOND_LINE = 20

/** Characters of amounts that stand in one line beside a bar, and with the name above one on a phone of 360 px. */
const WIDE_CHARACTERS = 30
const NARROW_CHARACTERS = 28

const amountsOf = ({ meter, available, capacity }: ListedLimit): number =>
  `${amountText(meter, available)} of ${amountText(meter, capacity)}`.length

/** Whether the amounts take two lines: numbers are never cut. */
export const isLong = (limit: ListedLimit, isNarrow: boolean): boolean =>
  isNarrow ? limit.name.length + amountsOf(limit) > NARROW_CHARACTERS : amountsOf(limit) > WIDE_CHARACTERS

export const wideRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + Math.max(IDENTITY, heightOf(limits, WIDE_LIMIT, false))

/** Where there is little room, the limits stand below the name. */
export const narrowRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + IDENTITY + Math.max(NARROW_LIMIT / 2, heightOf(limits, NARROW_LIMIT, true))

const heightOf = (limits: readonly ListedLimit[], each: number, isNarrow: boolean): number =>
  limits.reduce((sum, limit) => sum + each + (isLong(limit, isNarrow) ? SECOND_LINE : 0), 0)
