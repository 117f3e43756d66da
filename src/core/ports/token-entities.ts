import type { Entity } from '../model/entity.ts'
import { issuerNameIn, type TokenIdentity, tokenEntity } from '../model/token-entity.ts'
import type { AdminStore } from './admin-store.ts'
import type { ConfigStore } from './config-store.ts'
import type { CacheFactory } from './platform.ts'

/**
 * The entities of tokens, by id, for what names only an id: an administrator's request, a status, the dashboard. Decisions about
 * a token's own request use the token itself.
 */
export interface TokenEntities {
  /** Remembers the entity of an accepted token, unless a later token of it is known. */
  note(identity: TokenIdentity): void
  /**
   * The entity with the role and the tenant of the latest token that this process has accepted, or with neither; undefined for an
   * id that no configured issuer can have.
   */
  entity(id: string): Entity | undefined
}

const MAX_NOTED = 10_000

export const createTokenEntities = (issuerNames: readonly string[], caches: CacheFactory): TokenEntities => {
  const names = new Set(issuerNames)
  const noted = caches<Entity>({ max: MAX_NOTED })
  return {
    note(identity) {
      const known = noted.get(identity.entityId)
      if (known === undefined || known.version < identity.issuedAt)
        noted.set(identity.entityId, tokenEntity(identity))
    },
    entity(id) {
      const name = issuerNameIn(id)
      if (name === undefined || !names.has(name)) return undefined
      return noted.get(id) ?? tokenEntity({ entityId: id, role: null, tenantId: null, issuedAt: 0n })
    },
  }
}

/** A configuration in which the entities of tokens exist too. */
export const withTokenEntities = <C extends Pick<ConfigStore, 'entity' | 'entities'>>(
  config: C,
  tokens: Pick<TokenEntities, 'entity'>,
): C => ({
  ...config,
  entity: async (id: string) => tokens.entity(id) ?? config.entity(id),
  async entities(ids: readonly string[]) {
    const stored = ids.filter((id) => tokens.entity(id) === undefined)
    const found = new Map(
      (stored.length > 0 ? await config.entities(stored) : []).map((entity, at) => [stored[at], entity]),
    )
    return ids.map((id) => tokens.entity(id) ?? found.get(id))
  },
})

/** An admin store in which they exist too. It does not list them, but a search for a whole id finds one. */
export const withFoundTokenEntities = (
  store: AdminStore,
  tokens: Pick<TokenEntities, 'entity'>,
): AdminStore => ({
  ...withTokenEntities(store, tokens),
  async listEntities(page) {
    const listed = await store.listEntities(page)
    const found = page.q === undefined || page.cursor !== undefined ? undefined : tokens.entity(page.q)
    const hasRoom = listed.items.length < page.limit
    return found !== undefined && hasRoom ? { ...listed, items: [found, ...listed.items] } : listed
  },
})
