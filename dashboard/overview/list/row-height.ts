import type { DashboardEntity } from '../../api/answers.ts'

/** px, as `entity-list.css` draws rows: a list of any length is laid out by these numbers alone. */
const PADDING = 21
const IDENTITY = 44
const WIDE_LIMIT = 24
const NARROW_LIMIT = 36

export const wideRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + Math.max(IDENTITY, limits.length * WIDE_LIMIT)

/** Where there is little room, the limits stand below the name. */
export const narrowRowHeight = ({ limits }: DashboardEntity): number =>
  PADDING + IDENTITY + Math.max(NARROW_LIMIT / 2, limits.length * NARROW_LIMIT)
