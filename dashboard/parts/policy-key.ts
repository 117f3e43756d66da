import { EVERY_NAME, NO_NAME } from '../../src/core/model/policy.ts'
import { pathOf } from '../api/api.ts'
import type { Policy } from '../api/responses.ts'

export { EVERY_NAME, NO_NAME }

export type PolicyScope = Policy['scope']

export interface Scope {
  readonly scope: PolicyScope
  readonly name: string
  /** The requests that a policy of this scope applies to. */
  readonly meaning: string
}

/** Most specific first: the order in which a denial names them. */
export const SCOPES: readonly Scope[] = [
  {
    scope: 'USER_MODEL',
    name: 'A user on a model',
    meaning:
      'Requests for the model that name the user in the body or in the header X-User-Id. Other requests are not limited.',
  },
  {
    scope: 'SESSION',
    name: 'Each session',
    meaning:
      'Each session of a tenant by itself, such as the run of an agent. Requests name it in the field session or in the header X-Session-Id; those that do not share one.',
  },
  {
    scope: 'USER',
    name: 'Each user',
    meaning:
      'Each user of a tenant by itself, over all keys of the tenant. Requests name it in the body or in the header X-User-Id; those that do not share one.',
  },
  {
    scope: 'API_KEY',
    name: 'A caller',
    meaning: 'Requests of one entity, with any of its keys.',
  },
  {
    scope: 'TENANT',
    name: 'A tenant',
    meaning:
      'Requests of an entity of kind tenant and of all entities below it. With several tenants, the nearest applies.',
  },
  { scope: 'MODEL', name: 'A model', meaning: 'Requests of all callers for one registered model.' },
  {
    scope: 'MODEL_TIER',
    name: 'A tier of models',
    meaning: 'Requests of all callers for the registered models of a tier.',
  },
  { scope: 'GLOBAL', name: 'Everyone', meaning: 'All requests.' },
]

/** The scopes whose policies apply to each name by itself, and what a name is. */
export const NAMED_SCOPES: Readonly<Partial<Record<PolicyScope, string>>> = {
  SESSION: 'session',
  USER: 'user',
}

/** The scope and selector of a policy. */
export interface PolicyKey {
  readonly scope: PolicyScope
  /** The user and the model for USER_MODEL, `*` for GLOBAL and for all names, one id for every other. */
  readonly parts: readonly string[]
}

export const keyOf = ({ scope, selector, user, model }: Policy): PolicyKey => ({
  scope,
  parts: user === undefined || model === undefined ? [selector] : [user, model],
})

/** `TENANT acme`, the label in responses. */
export const keyText = ({ scope, parts }: PolicyKey): string => `${scope} ${parts.join(':')}`

/** `USER_MODEL/ann/gpt-4`, as alerts name a policy. */
export const keyPath = ({ scope, parts }: PolicyKey): string => [scope, ...parts].join('/')

/** The path of a policy in the API. */
export const policyPath = ({ scope, parts }: PolicyKey): string => pathOf('api/policies', scope, ...parts)
