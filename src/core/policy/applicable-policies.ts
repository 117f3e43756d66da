import { isId } from '../entity/entity.ts'
import { GLOBAL_POLICY, type PolicyKey, userModelSelector } from './policy-key.ts'

/** What is known of a request, by which policies apply to it. What is not known picks no policy. */
export interface PolicySubject {
  /** Who asks, as a client or a gateway names it: any text. */
  readonly user?: string | undefined
  /** The id of the calling entity. */
  readonly apiKey?: string | undefined
  readonly tenant?: string | undefined
  /** A registered model. */
  readonly model?: string | undefined
  readonly tier?: string | undefined
}

/** The policies that there may be for a request, most specific first; one of each scope at most. */
export const applicablePolicies = (subject: PolicySubject): readonly PolicyKey[] => {
  const { apiKey, tenant, model, tier } = subject
  return [
    ...userModelPolicy(subject),
    ...(apiKey === undefined ? [] : [{ scope: 'API_KEY', selector: apiKey } as const]),
    ...(tenant === undefined ? [] : [{ scope: 'TENANT', selector: tenant } as const]),
    ...(model === undefined ? [] : [{ scope: 'MODEL', selector: model } as const]),
    ...(tier === undefined ? [] : [{ scope: 'MODEL_TIER', selector: tier } as const]),
    GLOBAL_POLICY,
  ]
}

/** A text that is no id has no policy, so nothing need be looked up for it. */
const userModelPolicy = ({ user, model }: PolicySubject): readonly PolicyKey[] =>
  user === undefined || model === undefined || !isId(user)
    ? []
    : [{ scope: 'USER_MODEL', selector: userModelSelector(user, model) }]
