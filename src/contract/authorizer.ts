import * as v from 'valibot'
import { lifetime } from './checks.ts'
import { closedObject, plainRecord } from './containers.ts'
import { chargedResource, costBody } from './fields.ts'

/** A method and the path of a resource of the API, as API Gateway writes it: `POST /orders/{id}`; `ANY` is every method. */
const route = v.pipe(
  v.string(),
  v.regex(/^(ANY|[A-Z]{3,7}) \/\S*$/, 'be a method and the path of a resource, such as POST /orders/{id}'),
)

/** The options travel to the Lambda in one of its environment variables, which hold 4 KB together. */
const MOST_ROUTES = 30

const routeCosts = v.pipe(
  plainRecord(route, costBody, 'be an object of costs by route'),
  v.check((costs) => Object.keys(costs).length <= MOST_ROUTES, `contain at most ${MOST_ROUTES} routes`),
)

/** How the authorizer charges. */
export const authorizerOptions = closedObject({
  /** Default: one request. */
  cost: v.exactOptional(costBody),
  /** The costs of single routes, in place of `cost`. */
  route_costs: v.exactOptional(routeCosts),
  /** Default: the bucket `_default_` itself. */
  resource: v.exactOptional(chargedResource),
  /** True: charges are stored as reservations, which the function behind the authorizer settles. */
  settles: v.exactOptional(v.boolean()),
  /** How long such a reservation stays open. */
  expires_in_seconds: v.exactOptional(lifetime),
})

export type AuthorizerOptions = v.InferOutput<typeof authorizerOptions>

/** The variable of a function that settles what the authorizer reserved: the name of the table. */
export const SETTLING_TABLE = 'ZAEL_TABLE_NAME'

/**
 * The values that API Gateway keeps of an authorizer's response, as `$context.authorizer.<name>` in mappings and as
 * `event.requestContext.authorizer` in functions. They are texts: API Gateway takes no other values than scalars.
 */
export interface AuthorizerContext {
  readonly entityId: string
  /** The values of the headers `RateLimit` and `RateLimit-Policy`; absent where no limit of the caller has an item there, or they are too long. */
  readonly rateLimit?: string
  readonly rateLimitPolicy?: string
  /** `true` if a part of the decision was made without the store. */
  readonly degraded?: string
}

export interface AllowedContext extends AuthorizerContext {
  /** The stored reservation; absent if nothing is to be settled. */
  readonly reservationId?: string
}

/**
 * The fields of a 429, one by one. A gateway response inserts values unchanged into its JSON, so none of them contains a
 * character that JSON escapes.
 */
export interface DeniedContext extends AuthorizerContext {
  /** The values of the headers of these names; absent where no wait suffices. */
  readonly retryAfter?: string
  readonly retryAfterMs?: string
  /** `false` where a client should not retry by itself; else absent. */
  readonly shouldRetry?: string
  readonly message: string
  /** A number, or `null`. */
  readonly retryAfterSeconds: string
  /** The limit with the longest wait: its name, its entity or policy, its resource; and numbers. */
  readonly limitName: string
  readonly limitEntity: string
  readonly limitResource: string
  readonly available: string
  readonly requested: string
  readonly capacity: string
}
