import type * as v from 'valibot'
import { type checkBody, DEFAULT_LIFETIME_SECONDS } from '../../contract/checks.ts'
import { invalid } from '../../core/model/errors.ts'
import { type Cost, METERS, type Meter } from '../../core/model/meter.ts'
import type { PolicyContext } from '../../core/model/policy.ts'
import type { RequestNames } from '../request-names.ts'

/** One check of a cost against the limits that apply. */
export interface LimitCheck {
  readonly resource: string | undefined
  readonly cost: Cost
  readonly user: string | undefined
  readonly session: string | undefined
  readonly context: PolicyContext | undefined
  readonly dryRun: boolean
  /** The charge is kept for a settlement; false with `dryRun`, which charges nothing. */
  readonly reserve: boolean
  readonly lifetimeSeconds: number
}

/** A check in a request. */
export interface RequestedCheck {
  readonly check: LimitCheck
  readonly idempotencyKey: string | undefined
  /** The prefix of its fields in errors: `[3].`, or empty. */
  readonly place: string
}

export interface RequestedChecks {
  readonly isList: boolean
  readonly requested: readonly RequestedCheck[]
}

type Body = v.InferOutput<typeof checkBody>

/** The names of a check, by those in its body. */
type NamesOf = (body: Pick<Body, 'user' | 'session'>) => RequestNames

/**
 * One check, or a list of them, with the names of `namesOf`, which gets those of each body. Throws `invalid_request` if two checks
 * of a list have the same idempotency key.
 */
export const parseChecks = (body: Body | readonly Body[], namesOf: NamesOf): RequestedChecks => {
  if (!isList(body)) return { isList: false, requested: [parseCheck(body, '', namesOf)] }
  body.forEach(({ idempotency_key: key }, index) => {
    const isRepeated = body.findIndex(({ idempotency_key }) => idempotency_key === key) < index
    if (key !== undefined && isRepeated)
      throw invalid(`[${index}].idempotency_key`, 'be given to one check only')
  })
  return { isList: true, requested: body.map((each, index) => parseCheck(each, `[${index}].`, namesOf)) }
}

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (body: Body | readonly Body[]): body is readonly Body[] => Array.isArray(body)

/** Throws `invalid_request` for a reservation without a cost: it would be free, but takes an item in the table. */
const parseCheck = (body: Body, place: string, namesOf: NamesOf): RequestedCheck => {
  const cost = orderedCost(body.cost ?? { requests: 1 })
  if (body.reserve && hasNoCost({ cost, dryRun: false }))
    throw invalid(`${place}cost`, 'name an amount above 0 where it is reserved')
  return { place, idempotencyKey: body.idempotency_key, check: checkOf(body, cost, namesOf(body)) }
}

const checkOf = (body: Body, cost: Cost, names: RequestNames): LimitCheck => ({
  resource: body.resource,
  cost,
  user: names.user,
  session: names.session,
  context: body.context,
  dryRun: body.dry_run ?? false,
  reserve: (body.reserve ?? false) && body.dry_run !== true,
  lifetimeSeconds: body.expires_in_seconds ?? DEFAULT_LIFETIME_SECONDS,
})

/** Whether a check charges nothing even if it is allowed. */
export const hasNoCost = ({ cost, dryRun }: Pick<LimitCheck, 'cost' | 'dryRun'>): boolean =>
  dryRun || Object.values(cost).every((amount) => amount === 0)

/** Orders the meters, so that equal costs have equal JSON. */
const orderedCost = (cost: Cost): Cost => {
  const ordered: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) ordered[meter] = amount
  }
  return ordered
}
