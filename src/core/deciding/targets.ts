import { ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../entity/entity.ts'
import { invalid } from '../errors.ts'
import type { PolicySubject } from '../policy/applicable-policies.ts'
import type { ResolutionTarget } from '../resolving/resolve-buckets.ts'
import type { DecisionRequest } from './decision.ts'

/** What a request's limits are resolved by. Throws `ZaelError('invalid_request')` where the context names what is no id. */
export const targetOf = ({ entityId, resource, user, context }: DecisionRequest): ResolutionTarget => {
  if (context) checkIds(context, 'context.')
  return { entityId, resource, user: knownUser(user), context }
}

/** What policies alone are picked by. Throws likewise. */
export const subjectOf = (check: PolicySubject): PolicySubject => {
  checkIds(check, '')
  return { ...check, user: knownUser(check.user) }
}

/** A user's name is any text that a client sends; only an id can have a policy, so others are not looked up. */
const knownUser = (user: string | undefined): string | undefined =>
  user !== undefined && isId(user) ? user : undefined

const checkIds = ({ apiKey, tenant, tier, model }: PolicySubject, prefix: string): void => {
  const wrong = Object.entries({ api_key: apiKey, tenant, tier }).find(
    ([, id]) => id !== undefined && !isId(id),
  )
  if (wrong) throw invalid(`${prefix}${wrong[0]}`, ID_RULE)
  if (model !== undefined && !isModelId(model)) throw invalid(`${prefix}model`, MODEL_ID_RULE)
}
