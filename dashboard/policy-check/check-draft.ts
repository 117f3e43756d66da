/** The form as it is typed. */
export interface CheckDraft {
  readonly tenantId: string
  readonly userId: string
  readonly modelId: string
  readonly modelTier: string
  /** The id of a key's entity. */
  readonly apiKey: string
}

export const DEFAULT_CHECK: CheckDraft = {
  tenantId: 'enterprise_co',
  userId: 'ent-user-1',
  modelId: 'gpt-4o',
  modelTier: 'premium',
  apiKey: '',
}

/** The body of `POST /rate-limit/check`. What is left empty and need not be given is null. */
export const checkBodyOf = ({ tenantId, userId, modelId, modelTier, apiKey }: CheckDraft) => ({
  tenantId: tenantId.trim(),
  userId: userId.trim(),
  modelId: modelId.trim(),
  modelTier: modelTier.trim() || null,
  apiKey: apiKey.trim() || null,
})
