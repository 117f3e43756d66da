import type { Availability, CheckAllowed, Explanation } from '../../api/answers.ts'
import { type Api, pathOf } from '../../api/api.ts'
import { useSession } from '../../api/session.tsx'
import { useAnswer } from '../../api/use-answer.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { type BucketName, type BucketStates, bucketText, isPolicy, type LimitState } from './buckets.ts'

const REFRESH_MS = 2000

/** The limits of an entity on a resource, where each comes from, and what is left of each as time goes by. */
export const useLimits = (entityId: string, resource: string) => {
  const { api, mayWrite } = useSession()
  const explained = useAnswer(
    (signal) => api.get<Explanation>(pathOf('api/limits', entityId, 'explain'), { resource }, signal),
    [entityId, resource],
  )
  const buckets = [{ entity_id: entityId, resource }, ...(explained.data?.also_enforced ?? [])]
  const left = useAnswer(
    async (signal): Promise<BucketStates> => {
      const name = { entity_id: entityId, resource }
      const hasPolicies = mayWrite && buckets.some(isPolicy)
      const [policies, ...others] = await Promise.all([
        hasPolicies ? policyStates(api, name, signal) : [],
        ...buckets.filter((bucket) => !isPolicy(bucket)).map((bucket) => entityState(api, bucket, signal)),
      ])
      return new Map([...others, ...policies])
    },
    [buckets.map(bucketText).join('\n')],
  )
  useRefresh(left, REFRESH_MS)
  return { explained, left }
}

type State = readonly [bucket: string, limits: readonly LimitState[]]

const entityState = async (api: Api, bucket: BucketName, signal: AbortSignal): Promise<State> => {
  const path = pathOf('api/dashboard/availability', bucket.entity_id)
  const { limits } = await api.get<Availability>(path, { resource: bucket.resource }, signal)
  return [bucketText(bucket), limits]
}

const NOTHING = { requests: 0, tokens: 0, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 }

/** What is left of the policies that a request meets, by a check that charges nothing; none where it is refused. */
const policyStates = async (
  api: Api,
  { entity_id, resource }: BucketName,
  signal: AbortSignal,
): Promise<readonly State[]> => {
  const answer = await api.fetch('v1/limits/check', {
    method: 'POST',
    headers: { 'x-zael-entity': entity_id, 'content-type': 'application/json' },
    body: JSON.stringify({ resource, dry_run: true, cost: NOTHING }),
    signal,
  })
  // The server's tests hold every answer against the schema that the type is made of.
  const { limits = [] } = (await answer.json().catch(() => ({}))) as Partial<CheckAllowed>
  const policies = limits.filter(isPolicy)
  return policies.map((policy) => [
    bucketText(policy),
    policies.filter((limit) => bucketText(limit) === bucketText(policy)).map(stateOf),
  ])
}

const stateOf = ({ limit_name, ...limit }: CheckAllowed['limits'][number]): LimitState => ({
  name: limit_name,
  available: limit.available,
  capacity: limit.capacity,
  reset_after_seconds: limit.reset_after_seconds,
})
