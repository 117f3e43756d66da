import type { ComponentProps } from 'preact'
import { useState } from 'preact/hooks'
import type { Entity } from '../../api/answers.ts'
import { useSession } from '../../api/session.tsx'
import { Empty } from '../../parts/empty.tsx'
import { ErrorNotice } from '../../parts/notice.tsx'
import { Said } from '../../parts/telling/said.tsx'
import { BucketLimits } from './bucket-limits.tsx'
import { type BucketStates, bucketText, type ExplainedBucket } from './buckets.ts'
import { LimitActions } from './limit-actions.tsx'
import { useLimits } from './use-limits.ts'

interface Props {
  readonly entity: Entity
  readonly resource: string
}

/** The limits that hold, what is left of each, and what is enforced beside them. */
export const LimitsInForce = ({ entity, resource }: Props) => {
  const { mayWrite } = useSession()
  const { explained, left } = useLimits(entity.entity_id, resource)
  const [said, setSaid] = useState<ComponentProps<typeof Said> | undefined>(undefined)
  const reload = (done: ComponentProps<typeof Said>) => {
    setSaid(done)
    explained.reload()
    left.reload()
  }
  const own = { entity_id: entity.entity_id, resource, limits: explained.data?.limits ?? [] }
  return (
    <>
      {said !== undefined && <Said {...said} />}
      <section class="card" aria-label="Effective limits">
        <div class="card-head">
          <h2>Limits on {resource}</h2>
          {mayWrite && explained.data && (
            <LimitActions entityId={entity.entity_id} explained={explained.data} onChanged={reload} />
          )}
        </div>
        <ErrorNotice error={explained.error ?? left.error} />
        {!explained.data && !explained.error && <p class="quiet">Loading…</p>}
        {explained.data && own.limits.length === 0 && (
          <Empty title={`${entity.entity_id} has no limits on ${resource}`}>
            <p>{mayWrite ? 'Select “Edit limits” to set some.' : 'An administrator can set limits.'}</p>
          </Empty>
        )}
        <BucketLimits bucket={own} states={left.data?.get(bucketText(own))} />
      </section>
      <OtherBuckets buckets={explained.data?.also_enforced ?? []} states={left.data} />
    </>
  )
}

interface OthersProps {
  readonly buckets: readonly ExplainedBucket[]
  readonly states: BucketStates | undefined
}

const OtherBuckets = ({ buckets, states }: OthersProps) =>
  buckets.length === 0 ? null : (
    <section class="card" aria-label="Also enforced">
      <h2>Also enforced</h2>
      {buckets.map((bucket) => (
        <BucketLimits
          key={bucketText(bucket)}
          bucket={bucket}
          states={states?.get(bucketText(bucket))}
          isNamed
        />
      ))}
    </section>
  )
