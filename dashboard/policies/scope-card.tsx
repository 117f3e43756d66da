import { useState } from 'preact/hooks'
import type { Policy } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { LimitList } from '../limits/limit-list.tsx'
import { numberText } from '../parts/amounts.ts'
import { RowButton } from '../parts/controls.tsx'
import { EVERY_NAME, NAMED_SCOPES, type PolicyScope, SCOPES, type Scope } from '../parts/policy-key.ts'
import { hrefOf } from '../parts/route.ts'

interface Changes {
  onEdit(policy: Policy): void
  onReset(policy: Policy): void
  onDelete(policy: Policy): void
}

interface ScopeCardProps extends Changes {
  readonly group: PolicyGroup
  /** Looks up one user or session. */
  onLookUp(scope: PolicyScope): void
}

const SHOWN_AT_FIRST = 50

/** The policies of one scope, with its explanation. */
export const ScopeCard = ({ group, onLookUp, ...changes }: ScopeCardProps) => {
  const [showsAll, setShowsAll] = useState(false)
  const { scope, name, meaning, policies } = group
  const shown = showsAll ? policies : policies.slice(0, SHOWN_AT_FIRST)
  return (
    <section class="card scope" aria-labelledby={`scope-${scope}`}>
      <div>
        <div class="card-head">
          <h2 id={`scope-${scope}`}>{name}</h2>
          <div class="actions">
            {NAMED_SCOPES[scope] !== undefined && policies.length > 0 && (
              <button class="button small" type="button" onClick={() => onLookUp(scope)}>
                Look up a {NAMED_SCOPES[scope]}
              </button>
            )}
            <code class="tag">{scope}</code>
          </div>
        </div>
        <p class="quiet">{meaning}</p>
      </div>
      {policies.length === 0 ? (
        <p class="quiet none">No policies.</p>
      ) : (
        <ul class="policies" aria-labelledby={`scope-${scope}`}>
          {shown.map((policy) => (
            <PolicyRow key={policy.label} policy={policy} {...changes} />
          ))}
        </ul>
      )}
      {shown.length < policies.length && (
        <button class="button" type="button" onClick={() => setShowsAll(true)}>
          Show all {numberText(policies.length)}
        </button>
      )}
    </section>
  )
}

const PolicyRow = ({ policy, onEdit, onReset, onDelete }: Changes & { readonly policy: Policy }) => {
  const { mayWrite } = useSession()
  return (
    <li class="policy">
      <p class="policy-name">
        <Selector policy={policy} />
      </p>
      <LimitList limits={policy.limits} />
      {mayWrite && (
        <div class="actions">
          <RowButton action="Edit" name={policy.label} onClick={() => onEdit(policy)} />
          <RowButton action="Reset" name={policy.label} onClick={() => onReset(policy)} />
          <RowButton action="Delete" name={policy.label} isDangerous onClick={() => onDelete(policy)} />
        </div>
      )}
    </li>
  )
}

const Selector = ({ policy: { scope, selector, user, model } }: { readonly policy: Policy }) => {
  switch (scope) {
    case 'USER_MODEL':
      return (
        <>
          <strong>{user}</strong> <span class="quiet">on</span> <strong>{model}</strong>
        </>
      )
    case 'API_KEY':
    case 'TENANT':
      return <a href={hrefOf({ view: 'entity', id: selector })}>{selector}</a>
    case 'GLOBAL':
      return <strong>Every request</strong>
    case 'SESSION':
    case 'USER':
      return selector === EVERY_NAME ? (
        <strong>Every {NAMED_SCOPES[scope]}</strong>
      ) : (
        <>
          <strong>{selector}</strong> <span class="quiet">of any tenant</span>
        </>
      )
    default:
      return <strong>{selector}</strong>
  }
}

export interface PolicyGroup extends Scope {
  readonly policies: readonly Policy[]
}

/** Policies by scope, filtered by name and limits. Without a search, empty scopes are included. */
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
