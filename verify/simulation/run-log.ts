import type { Schedule } from './schedule/schedule.ts'
import type { TableWrite } from './world/table-log.ts'

/** A request, from the caller's point of view. Times are ns of true time since the start of the schedule. */
export interface LoggedRequest {
  readonly requestedNs: number
  readonly entityId: string
  readonly tokens: number
  readonly user?: string
  readonly session?: string
  /** Whether the use is settled later. */
  readonly settles: boolean
  readonly node: number
  /** The node instance that received the request; a crashed node is replaced by a new instance. */
  readonly by: number
  /** How long the node had been frozen before the request. */
  readonly frozenNs: number
  response?: LoggedResponse
  /** If it holds slots: when the last renewal that succeeded was called; the request itself if none was. */
  heldSinceNs?: number
  /** The actual use that the caller reported. */
  ending?: {
    readonly calledNs: number
    readonly tokens: number
    readonly requests: number
    /** Who claimed the use, through any node. Undefined: the process that received the request. */
    readonly by?: 'caller' | 'admin'
  }
}

export interface LoggedResponse {
  readonly atNs: number
  readonly isAllowed: boolean
  readonly isDegraded: boolean
  /** Denied because the table is unavailable, not by a limit. */
  readonly isUnavailable?: boolean
  /** The limits that denied: bucket and limit name. */
  readonly deniedBy?: readonly { readonly entityId: string; readonly limit: string }[]
  /** How long the node was frozen during the request. */
  readonly frozenNs: number
}

/** Requests that only take slots, at the end, when every slot should be free. */
export interface LoggedProbe {
  readonly entityId: string
  /** The least number of slots of its buckets. */
  readonly slots: number
  readonly admitted: number
}

export interface LoggedReset {
  readonly entityId: string
  readonly calledNs: number
  doneNs?: number
}

/** One node instance, from its start to its crash. */
export interface LoggedInstance {
  readonly node: number
  hasCrashed: boolean
  /** The range of its wall clock's offset from true time. */
  aheadNs: readonly [least: number, most: number]
}

/** Everything that happened, observed from outside the limiter. */
export interface RunLog {
  readonly schedule: Schedule
  readonly requests: readonly LoggedRequest[]
  readonly instances: readonly LoggedInstance[]
  readonly resets: readonly LoggedReset[]
  readonly writes: readonly TableWrite[]
  /** The entries in the maps of slots at the end, by entity or policy. */
  readonly slotsLeft?: Readonly<Record<string, number>>
  readonly probes?: readonly LoggedProbe[]
  /** Refunds that the limiter reported as lost. */
  readonly lostRefunds: number
  /** Errors that callers received. */
  readonly errors: readonly string[]
}
