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
      'Requests for the model that name the user, in the body or by the header X-User-Id. Who names none is not bound.',
  },
  {
    scope: 'API_KEY',
    name: 'A caller',
    meaning: 'Requests of one entity, whichever of its keys it uses.',
  },
  {
    scope: 'TENANT',
    name: 'A tenant',
    meaning: 'Requests of an entity of kind tenant and of all below it; of several tenants the nearest.',
  },
  { scope: 'MODEL', name: 'A model', meaning: 'Requests for one registered model, whoever asks.' },
  {
    scope: 'MODEL_TIER',
    name: 'A tier of models',
    meaning: 'Requests for all registered models of the tier, whoever asks.',
  },
  { scope: 'GLOBAL', name: 'Everyone', meaning: 'Every request there is.' },
]
