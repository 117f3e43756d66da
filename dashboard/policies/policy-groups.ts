import type { Policy } from '../api/answers.ts'
import { SCOPES, type Scope } from './scopes.ts'

export interface PolicyGroup extends Scope {
  readonly policies: readonly Policy[]
}

/** Policies by scope, those whose name or limits hold what is searched for; without a search scopes without any, too. */
export const groupPolicies = (policies: readonly Policy[], search: string): readonly PolicyGroup[] => {
  const wanted = search.trim().toLowerCase()
  const found = policies.filter((policy) => textOf(policy).includes(wanted))
  return SCOPES.map((scope) => ({
    ...scope,
    policies: found.filter((policy) => policy.scope === scope.scope),
  })).filter((group) => wanted === '' || group.policies.length > 0)
}

const textOf = ({ label, limits }: Policy): string =>
  [label, ...limits.map(({ name }) => name)].join(' ').toLowerCase()
