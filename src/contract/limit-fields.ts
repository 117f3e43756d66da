import * as v from 'valibot'
import {
  type Headroom,
  LIMIT_MODES,
  LIMIT_NAME_PATTERN,
  LIMIT_NAME_RULE,
  type Limit,
  type LimitMode,
  MAX_LEASE_SECONDS,
  MIN_LEASE_SECONDS,
  MIN_SHARE,
  ON_UNAVAILABLE,
  type OnUnavailable,
  REFUNDS,
  RESERVED_NAME_PATTERN,
  RESERVED_NAME_RULE,
  type Refund,
  type ScheduleEntry,
} from '../core/model/limit.ts'
import { IN_FLIGHT, METERS, type Meter, meterOfName } from '../core/model/meter.ts'
import { checkedBy, closedObject, type Fault } from './containers.ts'
import { integer, numberFrom, zeroOr } from './fields.ts'

/** The name of a limit, also in requests that refer to one. */
export const limitName = v.pipe(v.string(LIMIT_NAME_RULE), v.regex(LIMIT_NAME_PATTERN, LIMIT_NAME_RULE))

const nameFault = (name: string): Fault | undefined =>
  RESERVED_NAME_PATTERN.test(name) ? { must: RESERVED_NAME_RULE } : undefined

const KEPT_RULE = `be 0, or a number from ${MIN_SHARE} up to, but not including, 1`

const kept = v.union(
  [v.literal(0), v.pipe(v.number(KEPT_RULE), v.minValue(MIN_SHARE, KEPT_RULE), v.ltValue(1, KEPT_RULE))],
  KEPT_RULE,
)

const LEASE_RULE = `be 0, or a number of seconds from ${MIN_LEASE_SECONDS} to ${MAX_LEASE_SECONDS}`

/** The fields of every limit in JSON, whatever its algorithm. */
export interface CommonFields {
  /** `rpm`, `tpm`, …: 1 to 32 of a-z 0-9 _, beginning with a letter. */
  readonly name: string
  /**
   * The quantity that it counts. By default `tpm`, `tph` and `tpd` count tokens, `itpm` input tokens, `otpm` output tokens,
   * and any other name requests.
   */
  readonly meter?: Meter | undefined
  /** `warn` and `shadow` report what exceeds the limit and deny nothing. Default `enforce`. */
  readonly mode?: LimitMode | undefined
  /** The share in use from which callers are warned. Default 0.8. */
  readonly warn_at?: number | undefined
  /** Default `strict`: tokens that have already been refilled are not refunded. */
  readonly refund?: Refund | undefined
  /** How requests are decided while the store is unavailable. */
  readonly on_unavailable?: OnUnavailable | undefined
  /** The share of the capacity that keys of a priority cannot use: `{ normal: 0.1, low: 0.3 }`. */
  readonly headroom?: Headroom | undefined
  /** How long tokens may be charged in advance, in seconds; 0: never. */
  readonly lease_ttl_seconds?: number | undefined
}

/** The schemas of the fields of every limit. */
export const commonFields = {
  name: v.pipe(limitName, checkedBy(nameFault)),
  meter: v.optional(v.picklist(METERS)),
  mode: v.optional(
    v.pipe(v.picklist(LIMIT_MODES), v.description('warn and shadow limits report and never deny')),
  ),
  warn_at: v.optional(
    v.pipe(
      numberFrom(MIN_SHARE, 1),
      v.description('The share in use from which callers are warned; default 0.8'),
    ),
  ),
  refund: v.optional(v.picklist(REFUNDS)),
  on_unavailable: v.optional(v.picklist(ON_UNAVAILABLE)),
  headroom: v.optional(
    v.pipe(
      closedObject(
        { normal: v.exactOptional(kept), low: v.exactOptional(kept) },
        {
          object: 'be an object with normal, low or both',
          unknown: 'not be given; headroom is kept from normal and low priority',
        },
      ),
      v.metadata({ ref: 'Headroom' }),
      v.description('The share of the capacity that callers of this priority cannot use'),
    ),
  ),
  lease_ttl_seconds: v.optional(
    v.pipe(
      zeroOr(MIN_LEASE_SECONDS, MAX_LEASE_SECONDS, LEASE_RULE),
      v.description(
        'How long tokens may be charged in advance, in seconds; 0: every decision reads the table',
      ),
    ),
  ),
} satisfies Record<keyof CommonFields, v.GenericSchema>

/** The limit in `json`, with the size and the schedule that its algorithm has parsed. Absent fields stay absent. */
export const limitOf = (
  json: CommonFields,
  size: Limit['size'],
  schedule?: readonly ScheduleEntry[] | undefined,
): Limit => ({
  name: json.name,
  meter: size.algorithm === 'concurrency' ? IN_FLIGHT : (json.meter ?? meterOfName(json.name) ?? 'requests'),
  size,
  ...(schedule !== undefined && { schedule }),
  ...(json.mode !== undefined && { mode: json.mode }),
  ...(json.warn_at !== undefined && { warnAt: json.warn_at }),
  ...(json.refund !== undefined && { refund: json.refund }),
  ...(json.on_unavailable !== undefined && { onUnavailable: json.on_unavailable }),
  ...(json.headroom !== undefined && { headroom: json.headroom }),
  ...(json.lease_ttl_seconds !== undefined && { leaseTtlSeconds: json.lease_ttl_seconds }),
})

/** An object with `entries` and no other fields; the error for an unknown field lists the known ones. */
export const limitObject = <const E extends v.ObjectEntries>(entries: E) =>
  closedObject(entries, { unknown: `not be given; known fields are ${Object.keys(entries).join(', ')}` })

/** Whole tokens. */
export const size = integer(0, Number.MAX_SAFE_INTEGER)
