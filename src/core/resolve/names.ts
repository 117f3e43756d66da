import { isId } from '../model/entity.ts'
import { type NameScope, nameAsId } from '../model/policy.ts'
import type { CachedConfig } from './config-cache.ts'
import { everyNameSet } from './policy-buckets.ts'

/** The names that a request carries: any text. */
interface Names {
  readonly user?: string | undefined
  readonly session?: string | undefined
}

/**
 * Turns the names of a request into ids, and drops those by which no policy can be selected: a session without SESSION
 * policies, and a user that is no id without USER policies. So a request of such a name is resolved, and cached, as any other.
 */
export interface NameLookup {
  /** By cached configuration; undefined if it is not cached. */
  cached<T extends Names>(requested: T): T | undefined
  /** By configuration that is no older than `maxAgeNs`. */
  read<T extends Names>(requested: T, maxAgeNs: bigint): T | Promise<T>
}

export const createNameLookup = (
  config: Pick<CachedConfig, 'open' | 'cachedSet'>,
  hash: (text: string) => string,
): NameLookup => ({
  cached(requested) {
    const scopes = scopesOf(requested)
    if (scopes === NONE) return requested
    const used: NameScope[] = []
    for (const scope of scopes) {
      const cached = config.cachedSet(everyNameSet(scope))
      if (cached === undefined) return undefined
      if (cached.value !== undefined) used.push(scope)
    }
    return withIds(requested, used, hash)
  },
  read(requested, maxAgeNs) {
    const scopes = scopesOf(requested)
    if (scopes === NONE) return requested
    const reading = config.open(maxAgeNs).limitSets(scopes.map(everyNameSet))
    return reading.then((sets) =>
      withIds(
        requested,
        scopes.filter((_, at) => sets[at] !== undefined),
        hash,
      ),
    )
  },
})

const NONE: readonly NameScope[] = []

/** The scopes on whose policies the names of a request depend. A user that is an id selects other policies as well. */
const scopesOf = ({ user, session }: Names): readonly NameScope[] => {
  const isUserDropped = user !== undefined && !isId(user)
  if (session === undefined) return isUserDropped ? ['USER'] : NONE
  return isUserDropped ? ['SESSION', 'USER'] : ['SESSION']
}

const withIds = <T extends Names>(
  requested: T,
  used: readonly NameScope[],
  hash: (text: string) => string,
): T => {
  const { user, session } = requested
  const isUserKept = user !== undefined && (isId(user) || used.includes('USER'))
  const isSessionKept = session !== undefined && used.includes('SESSION')
  return {
    ...requested,
    user: isUserKept ? nameAsId(user, hash) : undefined,
    session: isSessionKept ? nameAsId(session, hash) : undefined,
  }
}
