import type { Schedule } from './schedule/schedule.ts'
import type { TableWrite } from './world/table-log.ts'

/** A request, as its caller saw it. ns since the schedule began, by true time. */
export interface LoggedAsk {
  readonly askedNs: number
  readonly entityId: string
  readonly tokens: number
  /** Whether what was used is told later. */
  readonly settles: boolean
  readonly node: number
  /** Which life of which node was asked; lives of crashed nodes have successors. */
  readonly by: number
  /** How long the node had stood still before it was asked. */
  readonly frozenNs: number
  answer?: LoggedAnswer
  /** What its caller has told was used in the end. */
  ending?: {
    readonly calledNs: number
    readonly tokens: number
    readonly requests: number
    /** Who has claimed it, through any node; left out: the process that asked. */
    readonly by?: 'caller' | 'admin'
  }
}

export interface LoggedAnswer {
  readonly atNs: number
  readonly isAllowed: boolean
  readonly isDegraded: boolean
  /** Refused because the table is away, and not by any limit. */
  readonly isUnavailable?: boolean
  /** The limits that denied, by the names of their buckets and their own. */
  readonly deniedBy?: readonly { readonly entityId: string; readonly limit: string }[]
  /** How long the node stood still while it was asked. */
  readonly frozenNs: number
}

export interface LoggedReset {
  readonly entityId: string
  readonly calledNs: number
  doneNs?: number
}

/** The life of one node, from when it began to its crash. */
export interface LoggedLife {
  readonly node: number
  hasCrashed: boolean
  /** By how much its wall clock was ahead of true time, at the least and at the most. */
  aheadNs: readonly [least: number, most: number]
}

/** All that happened, as seen from outside of the limiter. */
export interface RunLog {
  readonly schedule: Schedule
  readonly asks: readonly LoggedAsk[]
  readonly lives: readonly LoggedLife[]
  readonly resets: readonly LoggedReset[]
  readonly writes: readonly TableWrite[]
  /** Give-backs that the limiter itself has told are lost. */
  readonly lostBacks: number
  /** What was thrown at callers. */
  readonly errors: readonly string[]
}
