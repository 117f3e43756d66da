import type { Availability, Explanation } from '../../api/answers.ts'
import { pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { type BucketStates, bucketText } from './buckets.ts'

const REFRESH_MS = 2000

/** The limits of an entity on a resource, where each comes from, and what is left of each as time goes by. */
export const useLimits = (entityId: string, resource: string) => {
  const { api } = useSession()
  const explained = useAnswer(
    (signal) => api.get<Explanation>(pathOf('api/limits', entityId, 'explain'), { resource }, signal),
    [entityId, resource],
  )
  const left = useAnswer(
    async (signal): Promise<BucketStates> => {
      const path = pathOf('api/dashboard/availability', entityId)
      const { also_enforced = [], ...own } = await api.get<Availability>(path, { resource }, signal)
      return new Map([own, ...also_enforced].map((bucket) => [bucketText(bucket), bucket.limits]))
    },
    [entityId, resource],
  )
  useRefresh(left, REFRESH_MS)
  return { explained, left }
}
