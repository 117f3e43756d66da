import { Hono } from 'hono'
import { namedBucketParams, namedBucketResponse } from '../../contract/policies.ts'
import type { PolicyService } from '../../core/admin/policies.ts'
import type { Limiter } from '../../core/decide/limiter.ts'
import { ZaelError } from '../../core/model/errors.ts'
import { type NamedBucket, NO_NAME, nameAsId, policyLabel, selectorInName } from '../../core/model/policy.ts'
import type { Secrets } from '../../core/ports/platform.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { params } from '../body/validated.ts'
import { availabilityJson } from '../limits/limits.ts'
import { describeRoute } from '../openapi/described.ts'

const tag = 'Policies'

interface Needs {
  readonly policies: PolicyService
  readonly limiter: Pick<Limiter, 'statusOfNamed'>
  readonly secrets: Pick<Secrets, 'hash'>
}

/** No selector of these scopes contains a `/`, so the path names no policy. */
const PATH = '/:scope{(?:USER|SESSION)}/:tenant/:name{.+}'

/** The buckets of single users and sessions, which cannot be listed. To be mounted before the routes of policies. */
export const createNamedBucketRoutes = (needs: Needs) =>
  new Hono<AppEnv>()
    .get(
      PATH,
      describeRoute({
        tag,
        summary: 'Show what is left of one user’s or session’s limits',
        response: namedBucketResponse,
        errors: [400, 404],
      }),
      params(namedBucketParams, {}),
      async (c) => c.json(await namedBucketJson(needs, bucketOf(needs, c.req.valid('param')))),
    )
    .post(
      `${PATH}/reset`,
      describeRoute({
        tag,
        summary: 'Refill the limits of one user or session',
        response: namedBucketResponse,
        errors: [400, 404, 409],
      }),
      params(namedBucketParams, {}),
      async (c) => {
        const bucket = bucketOf(needs, c.req.valid('param'))
        // 404 if no policy applies
        await namedBucketJson(needs, bucket)
        await needs.policies.resetNamed(bucket, c.get('identity').kind)
        return c.json(await namedBucketJson(needs, bucket))
      },
    )

const bucketOf = ({ secrets }: Needs, bucket: NamedBucket): NamedBucket => ({
  ...bucket,
  name: bucket.name === NO_NAME ? NO_NAME : nameAsId(bucket.name, secrets.hash),
})

/** Throws `not_found` if no policy applies. */
const namedBucketJson = async ({ limiter }: Needs, bucket: NamedBucket) => {
  const { scope, tenant, name } = bucket
  const status = await limiter.statusOfNamed(bucket)
  if (status === undefined) throw new ZaelError('not_found', `There is no policy ${scope} for ${name}`)
  const { entityId } = status
  const policy = policyLabel({ scope, selector: selectorInName(scope, entityId) })
  return { scope, tenant, name, policy, limits: availabilityJson(entityId, status).limits }
}
