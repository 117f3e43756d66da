import type { Policies, Policy } from '../api/answers.ts'
import type { Api } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { type Asked, useAnswer } from '../api/use-answer.ts'

export interface AllPolicies {
  readonly policies: readonly Policy[]
  /** There are more than were asked for. */
  readonly isPartial: boolean
}

const PER_PAGE = 1000
const MOST_PAGES = 5

/** All policies, page by page. */
export const usePolicies = (): Asked<AllPolicies> => {
  const { api } = useSession()
  return useAnswer((signal) => readAll(api, signal), [])
}

const readAll = async (api: Api, signal: AbortSignal): Promise<AllPolicies> => {
  const policies: Policy[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await api.get<Policies>('api/policies', { limit: PER_PAGE, cursor }, signal)
    policies.push(...page.items)
    if (page.next_cursor === null) return { policies, isPartial: false }
    cursor = page.next_cursor
  }
  return { policies, isPartial: true }
}
