import type { Policy } from '../api/answers.ts'
import type { PolicyScope } from './scopes.ts'

/** What a policy is attached to. */
export interface PolicyKey {
  readonly scope: PolicyScope
  /** The user and the model for USER_MODEL, `*` for GLOBAL, one id for every other. */
  readonly parts: readonly string[]
}

export const keyOf = ({ scope, selector, user, model }: Policy): PolicyKey => ({
  scope,
  parts: user === undefined || model === undefined ? [selector] : [user, model],
})

/** `TENANT acme`, as answers call it. */
export const keyText = ({ scope, parts }: PolicyKey): string => `${scope} ${parts.join(':')}`

export const policyPath = ({ scope, parts }: PolicyKey): string =>
  ['api/policies', scope, ...parts.map(encodeURIComponent)].join('/')

/** What is typed for a new policy. */
export interface KeyDraft {
  readonly scope: PolicyScope
  readonly user: string
  readonly model: string
  readonly entity: string
  readonly tier: string
}

export const NEW_KEY: KeyDraft = { scope: 'TENANT', user: '', model: '', entity: '', tier: '' }

const PARTS: Readonly<Record<PolicyScope, (draft: KeyDraft) => readonly string[]>> = {
  USER_MODEL: ({ user, model }) => [user, model],
  API_KEY: ({ entity }) => [entity],
  TENANT: ({ entity }) => [entity],
  MODEL: ({ model }) => [model],
  MODEL_TIER: ({ tier }) => [tier],
  GLOBAL: () => ['*'],
}

export const draftedKey = (draft: KeyDraft): PolicyKey => ({
  scope: draft.scope,
  parts: PARTS[draft.scope](draft).map((part) => part.trim()),
})
