import type { Policy } from '../api/answers.ts'

export type PolicyScope = Policy['scope']

export interface Scope {
  readonly scope: PolicyScope
  readonly name: string
  /** What a policy of this scope applies to. */
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
