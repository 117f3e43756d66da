import * as v from 'valibot'
import { NAME_SCOPES, POLICY_SCOPES, policyKeyOf, SELECTOR_RULES } from '../core/model/policy.ts'
import { checkedBy } from './containers.ts'
import { availabilityLimit } from './dashboard.ts'
import { id, nextCursor } from './fields.ts'
import { limitResponse } from './limits.ts'

/** The policy that a path names. */
export const policyParams = v.pipe(
  v.object({
    scope: v.picklist(POLICY_SCOPES),
    selector: v.pipe(
      v.string(),
      v.description(
        'An id; `*` for GLOBAL; `*` or an id, which overrides `*`, for SESSION and USER; `<user>/<model>` for USER_MODEL',
      ),
    ),
  }),
  checkedBy(({ scope, selector }) => {
    const { isMet, must } = SELECTOR_RULES[scope]
    return isMet(selector) ? undefined : { path: ['selector'], must }
  }),
  v.transform(({ scope, selector }) => policyKeyOf(scope, selector)),
)

const policyNames = {
  label: v.pipe(v.string(), v.description('`<scope> <selector>`')),
  scope: v.picklist(POLICY_SCOPES),
  selector: v.pipe(v.string(), v.description('`<user>:<model>` for USER_MODEL')),
}

export const policyResponse = v.pipe(
  v.object({
    ...policyNames,
    user: v.exactOptional(v.pipe(v.string(), v.description('Only for USER_MODEL'))),
    model: v.exactOptional(v.pipe(v.string(), v.description('Only for USER_MODEL'))),
    limits: v.array(limitResponse),
  }),
  v.metadata({ ref: 'Policy' }),
)

export const policiesResponse = v.object({ items: v.array(policyResponse), next_cursor: nextCursor })

const name = v.pipe(v.string(), v.nonEmpty('not be empty'))

/** The bucket of one user or session that a path names. */
export const namedBucketParams = v.object({
  scope: v.picklist(NAME_SCOPES),
  tenant: v.pipe(id, v.description('The tenant of the caller, or else its root entity')),
  name: v.pipe(
    name,
    v.description('The name as requests send it; `-`: all requests of the tenant that name none'),
  ),
})

export const namedBucketResponse = v.pipe(
  v.object({
    scope: v.picklist(NAME_SCOPES),
    tenant: v.string(),
    name: v.pipe(v.string(), v.description('The name, or `h-` and 32 digits of its SHA-256 if it is no id')),
    policy: v.pipe(v.string(), v.description('The label of the policy that applies: `USER *`')),
    limits: v.array(availabilityLimit),
  }),
  v.metadata({ ref: 'NamedBucket' }),
)

export const policyCheckBody = v.strictObject({
  userId: name,
  sessionId: v.exactOptional(v.nullable(v.pipe(name, v.description('The session of the request')))),
  modelId: name,
  tenantId: id,
  modelTier: v.exactOptional(v.nullable(v.pipe(name, v.description("Overrides the model's tier")))),
  apiKey: v.exactOptional(v.nullable(v.pipe(id, v.description("The id of a key's entity")))),
})

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const use = { count, limit: count, window_seconds: v.number() }

export const policyCheckResponse = v.pipe(
  v.object({
    allowed: v.boolean(),
    cause: v.pipe(v.nullable(v.string()), v.description('null if the request is allowed')),
    primary: v.pipe(
      v.nullable(
        v.object({
          label: v.string(),
          ...use,
          percent: v.pipe(v.number(), v.description('0 to 100, with one decimal')),
        }),
      ),
      v.description(
        'The most specific policy that applies (allowed) or fails (blocked); null if none applies',
      ),
    ),
    policies: v.pipe(
      v.array(v.object({ ...policyNames, ...use, window_minutes: v.number() })),
      v.description('The policies that were met; empty if the request is blocked'),
    ),
    degraded: v.exactOptional(
      v.pipe(v.boolean(), v.description('True: a part of this was decided without the store')),
    ),
  }),
  v.metadata({ ref: 'PolicyCheck' }),
)
