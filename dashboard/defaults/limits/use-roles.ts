import type { Entities } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { knownRoles } from './known-roles.ts'

const LOOKED_AT = 1000

/** Roles that there surely are, and what says them: those of entities, and those that were added here. */
export const useRoles = (added: readonly string[]): readonly string[] => {
  const { api } = useSession()
  const { data } = useAnswer((signal) => api.get<Entities>('api/entities', { limit: LOOKED_AT }, signal), [])
  return knownRoles(
    data?.items.map(({ role }) => role),
    added,
  )
}
