import { invalid, ZaelError } from '../model/errors.ts'
import { apiKeyToJson } from '../model/json.ts'
import {
  type ApiKey,
  isSecret,
  isUsable,
  LONGEST_KEY_NAME,
  prefixOf,
  SHORTEST_SECRET,
  secretRule,
} from '../model/key.ts'
import { type AdminDependencies, auditRecord } from './audit.ts'
import { getEntity, requireStorable } from './entities.ts'

/** The fields of a new key that an administrator may set. */
export interface KeyDraft {
  readonly name?: string
  /** Default: a generated secret. */
  readonly secret?: string
  /** ns since the epoch, or null: never */
  readonly expiresAt?: bigint | null
}

/** A new key with its secret, which is not shown again. */
export interface NewKey {
  readonly key: ApiKey
  readonly secret: string
}

/** API keys. All methods throw `not_found` for an unknown entity or key, and `StoreUnavailable`. */
export interface KeyService {
  /** Throws `invalid_request` for an invalid secret or expiry, `conflict` if the secret is in use. */
  create(entityId: string, draft: KeyDraft, actor: string): Promise<NewKey>
  list(entityId: string): Promise<readonly ApiKey[]>
  /** Revokes the key. Does nothing if it is already revoked. */
  revoke(entityId: string, keyId: string, actor: string): Promise<void>
  /** Creates a replacement for a key, which stays valid for `graceNs`. Throws `conflict` if the key is revoked or has expired. */
  rotate(entityId: string, keyId: string, graceNs: bigint, actor: string): Promise<NewKey>
}

export interface KeyRules {
  /** The minimum length of a secret; the demo seed uses secrets shorter than 16. */
  readonly shortestSecret: number
}

export const createKeyService = (
  deps: AdminDependencies,
  rules: KeyRules = { shortestSecret: SHORTEST_SECRET },
): KeyService => ({
  create: (entityId, draft, actor) => createKey(deps, rules, entityId, draft, actor),
  list: async (entityId) => {
    await getEntity(deps, entityId)
    return deps.store.listKeys(entityId)
  },
  revoke: (entityId, keyId, actor) => revokeKey(deps, entityId, keyId, actor),
  rotate: (entityId, keyId, graceNs, actor) => rotateKey(deps, entityId, keyId, graceNs, actor),
})

const createKey = async (
  deps: AdminDependencies,
  rules: KeyRules,
  entityId: string,
  draft: KeyDraft,
  actor: string,
): Promise<NewKey> => {
  checkDraft(draft, rules, deps.clock.now())
  requireStorable('entity_id', entityId)
  await getEntity(deps, entityId)
  const made = newKey(deps, entityId, draft)
  const audit = auditRecord(deps, {
    actor,
    action: 'key.create',
    subject: entityId,
    before: null,
    after: apiKeyToJson(made.key),
  })
  if ((await deps.store.putKey(made.key, deps.secrets.hash(made.secret), audit)) === 'exists') {
    throw new ZaelError('conflict', 'That secret is in use', { field: 'secret' })
  }
  deps.changed({ entityId })
  return made
}

const revokeKey = async (
  deps: AdminDependencies,
  entityId: string,
  keyId: string,
  actor: string,
): Promise<void> => {
  const before = await findKey(deps, entityId, keyId)
  if (before.status === 'revoked') return
  const after: ApiKey = { ...before, status: 'revoked' }
  const audit = auditRecord(deps, {
    actor,
    action: 'key.revoke',
    subject: entityId,
    before: apiKeyToJson(before),
    after: apiKeyToJson(after),
  })
  if ((await deps.store.updateKey(after, audit)) === 'missing') throw unknownKey(keyId)
  deps.changed({ entityId })
}

const rotateKey = async (
  deps: AdminDependencies,
  entityId: string,
  keyId: string,
  graceNs: bigint,
  actor: string,
): Promise<NewKey> => {
  const before = await findKey(deps, entityId, keyId)
  const now = deps.clock.now()
  if (!isUsable(before, now)) throw new ZaelError('conflict', `Key ${keyId} is revoked or has expired`)
  const made = newKey(deps, entityId, { name: before.name, expiresAt: before.expiresAt })
  const old = retired(before, now, graceNs)
  const audit = auditRecord(deps, {
    actor,
    action: 'key.rotate',
    subject: entityId,
    before: apiKeyToJson(before),
    after: { old: apiKeyToJson(old), new: apiKeyToJson(made.key) },
  })
  const replacement = { key: made.key, secretHash: deps.secrets.hash(made.secret) }
  if ((await deps.store.updateKey(old, audit, replacement)) !== 'updated') throw unknownKey(keyId)
  deps.changed({ entityId })
  return made
}

const newKey = ({ clock, secrets }: AdminDependencies, entityId: string, draft: KeyDraft): NewKey => {
  const secret = draft.secret ?? secrets.create()
  const key: ApiKey = {
    keyId: secrets.id(),
    entityId,
    name: draft.name ?? '',
    prefix: prefixOf(secret),
    status: 'active',
    expiresAt: draft.expiresAt ?? null,
    createdAt: clock.now(),
  }
  return { key, secret }
}

const retired = (key: ApiKey, now: bigint, graceNs: bigint): ApiKey => {
  if (graceNs === 0n) return { ...key, status: 'revoked' }
  const end = now + graceNs
  return { ...key, expiresAt: key.expiresAt !== null && key.expiresAt < end ? key.expiresAt : end }
}

const findKey = async (deps: AdminDependencies, entityId: string, keyId: string): Promise<ApiKey> => {
  await getEntity(deps, entityId)
  const key = (await deps.store.listKeys(entityId)).find((candidate) => candidate.keyId === keyId)
  if (key === undefined) throw unknownKey(keyId)
  return key
}

const checkDraft = ({ name, secret, expiresAt }: KeyDraft, rules: KeyRules, now: bigint): void => {
  if (name !== undefined && name.length > LONGEST_KEY_NAME) {
    throw invalid('name', `be at most ${LONGEST_KEY_NAME} characters long`)
  }
  if (secret !== undefined && !isSecret(secret, rules.shortestSecret)) {
    throw invalid('secret', secretRule(rules.shortestSecret))
  }
  if (expiresAt !== undefined && expiresAt !== null && expiresAt <= now) {
    throw invalid('expires_at', 'lie in the future')
  }
}

const unknownKey = (keyId: string): ZaelError => new ZaelError('not_found', `There is no key ${keyId}`)
