import type { Availability, Explanation } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { bucketText, isPolicy } from './buckets.ts'

const REFRESH_MS = 2000

export type States = ReadonlyMap<string, Availability>

/** The limits of an entity on a resource, where each comes from, and what is left of each as time goes by. */
export const useLimits = (entityId: string, resource: string) => {
  const { api } = useSession()
  const explained = useAnswer(
    (signal) => api.get<Explanation>(pathOf('api/limits', entityId, 'explain'), { resource }, signal),
    [entityId, resource],
  )
  const buckets = [{ entity_id: entityId, resource }, ...(explained.data?.also_enforced ?? [])].filter(
    (bucket) => !isPolicy(bucket),
  )
  const left = useAnswer(
    async (signal): Promise<States> => {
      const states = buckets.map(async (bucket) => {
        const path = pathOf('api/dashboard/availability', bucket.entity_id)
        const state = await api.get<Availability>(path, { resource: bucket.resource }, signal)
        return [bucketText(bucket), state] as const
      })
      return new Map(await Promise.all(states))
    },
    [buckets.map(bucketText).join('\n')],
  )
  useRefresh(left, REFRESH_MS)
  return { explained, left }
}
