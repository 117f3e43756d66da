import type * as v from 'valibot'
import type { ownLimitsResponse } from '../../src/contract/checks.ts'
import type { availabilityResponse } from '../../src/contract/dashboard.ts'
import { barText, markOf, percentText } from '../output/bar.ts'
import { type Column, tableText } from '../output/table.ts'
import { durationText } from '../output/times.ts'
import type { Session } from '../session.ts'

type Availability = v.InferOutput<typeof availabilityResponse>
type OwnLimits = v.InferOutput<typeof ownLimitsResponse>

/** A limit of a bucket, in use to some share. */
export interface LimitState {
  readonly entity: string
  readonly resource: string
  readonly name: string
  readonly capacity: number
  readonly used: number
  readonly percent: number
}

/** The state of a limit in one response. */
interface CurrentState extends LimitState {
  readonly resetAfterSeconds: number
}

/** The limits of all buckets that a request charges. */
export const statesOf = ({ also_enforced: others = [], ...own }: Availability): readonly CurrentState[] =>
  [own, ...others].flatMap(({ entity_id, limits }) =>
    limits.map(({ resource, name, capacity, used, utilization_percent, reset_after_seconds }) => ({
      entity: entity_id,
      resource,
      name,
      capacity,
      used,
      percent: utilization_percent,
      resetAfterSeconds: reset_after_seconds,
    })),
  )

/** The same of a caller's own view. */
export const ownStatesOf = ({ limits }: OwnLimits): readonly CurrentState[] =>
  limits.map(({ entity_id, resource, limit_name, capacity, used, reset_after_seconds }) => ({
    entity: entity_id,
    resource,
    name: limit_name,
    capacity,
    used,
    // a limit of 0 is paused
    percent: capacity === 0 ? 100 : Math.min(100, (used / capacity) * 100),
    resetAfterSeconds: reset_after_seconds,
  }))

const BAR_WIDTH = 20

const columnsOf = ({ style }: Session): readonly Column<CurrentState>[] => [
  { heading: 'ENTITY', cell: ({ entity }) => entity },
  { heading: 'RESOURCE', cell: ({ resource }) => resource },
  { heading: 'LIMIT', cell: ({ name }) => name },
  { heading: 'USED', cell: ({ used }) => used },
  { heading: 'OF', cell: ({ capacity }) => capacity },
  {
    heading: 'IN USE',
    cell: ({ percent }) => barText(percent, BAR_WIDTH),
    mark: ({ percent }) => markOf(percent, style),
  },
  { heading: '', cell: ({ percent }) => percentText(percent), isNumber: true },
  { heading: 'FULL IN', cell: ({ resetAfterSeconds }) => durationText(resetAfterSeconds) },
]

/** Prints the state of buckets: `value` is the response. */
export const printStates = (session: Session, value: unknown, states: readonly CurrentState[]): void =>
  session.print(value, () =>
    states.length === 0 ? 'no limits\n' : tableText(states, columnsOf(session), session.style),
  )

export const printBuckets = (session: Session, response: Availability): void =>
  printStates(session, response, statesOf(response))
