import { ID_RULE, isId, isModelId, MODEL_ID_RULE } from './entity.ts'

/** The kinds of policies, most specific first, which is the order of precedence. */
export const POLICY_SCOPES = [
  'USER_MODEL',
  'SESSION',
  'USER',
  'API_KEY',
  'TENANT',
  'MODEL',
  'MODEL_TIER',
  'GLOBAL',
] as const

export type PolicyScope = (typeof POLICY_SCOPES)[number]

/**
 * Names one policy. The selector is an id, `*` for GLOBAL, `*` or an id for SESSION and USER, and `<user>#<model>` for
 * USER_MODEL: no id contains a `#`.
 */
export interface PolicyKey {
  readonly scope: PolicyScope
  readonly selector: string
}

export const GLOBAL_POLICY: PolicyKey = { scope: 'GLOBAL', selector: '*' }

const PART = '#'

const userModelSelector = (user: string, model: string): string => `${user}${PART}${model}`

/** The scopes whose policies apply to names that clients choose. */
export const NAME_SCOPES = ['SESSION', 'USER'] as const

export type NameScope = (typeof NAME_SCOPES)[number]

export const isNameScope = (scope: PolicyScope): scope is NameScope => scope === 'SESSION' || scope === 'USER'

/** The selector of the policy of all names that have none of their own. */
export const EVERY_NAME = '*'

/** The name of requests that name none: not an id, so that no client can name it. */
export const NO_NAME = '-'

/** One user or session of a tenant, which has a bucket of its own. */
export interface NamedBucket {
  readonly scope: NameScope
  /** The tenant of the caller, or else its root entity. */
  readonly tenant: string
  /** An id, or `NO_NAME`. */
  readonly name: string
}

/** Names the bucket as a policy's: the selector is `<tenant>#<name>`. */
export const namedBucketKey = ({ scope, tenant, name }: NamedBucket): PolicyKey => ({
  scope,
  selector: `${tenant}${PART}${name}`,
})

/** The user or the session of a bucket that `namedBucketKey` names. */
export const nameOf = ({ selector }: PolicyKey): string => selector.slice(selector.indexOf(PART) + 1)

const NAMED_BUCKET = /^POLICY#(?:SESSION|USER)#([^#]*)#/

/** Whether the key of a bucket is that of a user or a session. */
export const isNamedBucketKey = (key: string): boolean =>
  key.startsWith(POLICY_INITIAL) && NAMED_BUCKET.test(key)

/** Buckets of entities differ in the first letter. */
const POLICY_INITIAL = 'P'

/** The tenant in the key of a user's or a session's bucket; '' for all others. */
export const tenantOfBucketKey = (key: string): string => NAMED_BUCKET.exec(key)?.[1] ?? ''

const HASH_DIGITS = 32

/**
 * A name as an id: the name itself, or `h-` and 32 hexadecimal digits of its SHA-256. So a bucket's key is bounded, whatever a
 * client sends. `hash`: SHA-256, lower-case hexadecimal.
 */
export const nameAsId = (name: string, hash: (text: string) => string): string =>
  isId(name) ? name : `h-${hash(name).slice(0, HASH_DIGITS)}`

/** The two ids of a USER_MODEL policy; undefined for every other. */
export const userModelOf = ({
  scope,
  selector,
}: PolicyKey): { readonly user: string; readonly model: string } | undefined => {
  if (scope !== 'USER_MODEL') return undefined
  const at = selector.indexOf(PART)
  return { user: selector.slice(0, at), model: selector.slice(at + 1) }
}

/** The selector for display: `ent-user-2:gpt-4o`. Not unique: ids may contain a `:`. */
export const selectorText = ({ selector }: PolicyKey): string => selector.replace(PART, ':')

/** `TENANT enterprise_co` */
export const policyLabel = (key: PolicyKey): string => `${key.scope} ${selectorText(key)}`

/** The policy's name in responses, in place of an entity's id: `POLICY:TENANT:enterprise_co`. */
export const policyName = (key: PolicyKey): string => `POLICY:${key.scope}:${selectorText(key)}`

/** The policy as its path names it: `TENANT/enterprise_co`, `USER_MODEL/ent-user-2/gpt-4o`. */
export const policyPath = ({ scope, selector }: PolicyKey): string =>
  `${scope}/${selector.replaceAll(PART, '/')}`

/** The selector in a policy's name. */
export const selectorInName = (scope: PolicyScope, name: string): string =>
  name.slice(policyName({ scope, selector: '' }).length)

/** Below 0 if `a` is the more specific scope. */
export const byPrecedence = (a: PolicyScope, b: PolicyScope): number =>
  POLICY_SCOPES.indexOf(a) - POLICY_SCOPES.indexOf(b)

/** The rule of the selectors of a scope in paths. */
interface SelectorRule {
  isMet(selector: string): boolean
  /** Completes "selector must …". */
  readonly must: string
}

const ID_SELECTOR: SelectorRule = { isMet: isId, must: ID_RULE }

const NAME_SELECTOR: SelectorRule = {
  isMet: (selector) => selector === EVERY_NAME || isId(selector),
  must: `be * for every name, or ${ID_RULE}`,
}

/** The user and the model of `<user>/<model>`; the model may contain `/` too. */
const userAndModel = (selector: string): readonly [user: string, model: string] => {
  const at = selector.indexOf('/')
  return [selector.slice(0, Math.max(at, 0)), selector.slice(at + 1)]
}

/** How a path names a policy: `TENANT` and `enterprise_co`, `GLOBAL` and `*`, `USER_MODEL` and `<user>/<model>`. */
export const SELECTOR_RULES: Readonly<Record<PolicyScope, SelectorRule>> = {
  USER_MODEL: {
    isMet(selector) {
      const [user, model] = userAndModel(selector)
      return isId(user) && isModelId(model)
    },
    must: 'be <user>/<model>, the id of a user and the id of a model',
  },
  SESSION: NAME_SELECTOR,
  USER: NAME_SELECTOR,
  API_KEY: ID_SELECTOR,
  TENANT: ID_SELECTOR,
  MODEL: { isMet: isModelId, must: MODEL_ID_RULE },
  MODEL_TIER: ID_SELECTOR,
  GLOBAL: { isMet: (selector) => selector === GLOBAL_POLICY.selector, must: 'be * for GLOBAL' },
}

/** The key of a policy from its scope and its selector in a path, which obeys the rule of the scope. */
export const policyKeyOf = (scope: PolicyScope, selector: string): PolicyKey => ({
  scope,
  selector: scope === 'USER_MODEL' ? userModelSelector(...userAndModel(selector)) : selector,
})

/** The policy that a path names, such as `TENANT/acme`; undefined: none. The inverse of `policyPath`. */
export const policyOfPath = (text: string): PolicyKey | undefined => {
  const at = text.indexOf('/')
  const scope = POLICY_SCOPES.find((each) => each === text.slice(0, Math.max(at, 0)))
  const selector = text.slice(at + 1)
  return scope !== undefined && SELECTOR_RULES[scope].isMet(selector)
    ? policyKeyOf(scope, selector)
    : undefined
}

export const POLICY_PATH_RULE = `be <scope>/<selector> as in the path of a policy, such as TENANT/acme or GLOBAL/*; scopes: ${POLICY_SCOPES.join(', ')}`

/** The properties of a request that select its policies. A property that is undefined selects none. */
export interface PolicySubject {
  /** The user that a client or a gateway names. */
  readonly user?: string | undefined
  /** The session that a client or a gateway names. */
  readonly session?: string | undefined
  /** The id of the calling entity. */
  readonly apiKey?: string | undefined
  readonly tenant?: string | undefined
  /** A registered model. */
  readonly model?: string | undefined
  readonly tier?: string | undefined
}

/**
 * The keys of the policies that may exist for a request, most specific first; at most one of each scope. Without those on
 * names (SESSION, USER), which have buckets of their own.
 */
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

/** A user that is not an id cannot have a policy, so none is looked up. */
const userModelPolicy = ({ user, model }: PolicySubject): readonly PolicyKey[] =>
  user === undefined || model === undefined || !isId(user)
    ? []
    : [{ scope: 'USER_MODEL', selector: userModelSelector(user, model) }]

/** Properties that select policies in place of those of the entity and the resource. `tier` overrides the model's. */
export interface PolicyContext {
  readonly tenant?: string
  readonly model?: string
  readonly tier?: string
}
