import type { ComponentProps } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { fieldErrorOf, isAtField } from '../api/errors.ts'
import { useAction, useAnswer, useRefresh } from '../api/hooks.ts'
import type { Availability, Entity, Explanation, WaitTime } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { ResourceChoice } from '../limits/resource-choice.tsx'
import { NumberField } from '../parts/fields.tsx'
import { Empty, ErrorNotice, Said } from '../parts/notices.tsx'
import { spanText } from '../parts/time.ts'
import { BucketLimits, type BucketStates, bucketText, type ExplainedBucket } from './bucket-limits.tsx'
import { LimitActions } from './limit-actions.tsx'

/** What limits an entity, by resource: first the one that has the least left. */
export const LimitsSection = ({ entity }: { readonly entity: Entity }) => {
  const { api } = useSession()
  const { entity_id: id } = entity
  const scarcest = useAnswer(
    (signal) => api.get<Availability>(pathOf('api/dashboard/availability', id), {}, signal),
    [id],
  )
  const [chosen, setChosen] = useState<string | undefined>(undefined)
  const resource = chosen ?? scarcest.data?.resource
  if (resource === undefined)
    return scarcest.error ? <ErrorNotice error={scarcest.error} /> : <p class="quiet">Loading…</p>
  return (
    <>
      <ResourceChoice resource={resource} onResource={setChosen} />
      <LimitsInForce key={resource} entity={entity} resource={resource} />
      <WaitTimeCalculator entityId={id} resource={resource} />
    </>
  )
}

interface LimitsInForceProps {
  readonly entity: Entity
  readonly resource: string
}

/** The limits that hold, what is left of each, and what is enforced beside them. */
export const LimitsInForce = ({ entity, resource }: LimitsInForceProps) => {
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

interface WaitTimeCalculatorProps {
  readonly entityId: string
  readonly resource: string
}

/** When a request of some size may pass. */
export const WaitTimeCalculator = ({ entityId, resource }: WaitTimeCalculatorProps) => {
  const { api } = useSession()
  const [rpm, setRpm] = useState('1')
  const [tpm, setTpm] = useState('1000')
  const [answer, setAnswer] = useState<string | undefined>(undefined)
  useEffect(() => setAnswer(undefined), [entityId, resource])
  const asking = useAction(async () => {
    setAnswer(undefined)
    const path = pathOf('api/dashboard/wait-time', entityId)
    const asked = { rpm: rpm || undefined, tpm: tpm || undefined, resource }
    setAnswer(waitText(await api.get<WaitTime>(path, asked)))
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void asking.run()
  }
  return (
    <section class="card" aria-label="Wait time">
      <h2>How long would a request wait?</h2>
      <form class="wait-time" onSubmit={submit}>
        <NumberField
          label="Requests"
          value={rpm}
          min={0}
          error={fieldErrorOf(asking.error, 'rpm')}
          onValue={setRpm}
        />
        <NumberField
          label="Tokens"
          value={tpm}
          min={0}
          error={fieldErrorOf(asking.error, 'tpm')}
          onValue={setTpm}
        />
        <button class="button" type="submit" disabled={asking.isRunning}>
          Calculate
        </button>
        <output class="wait-answer">{answer}</output>
      </form>
      <ErrorNotice error={isAtField(asking.error, ['rpm', 'tpm']) ? undefined : asking.error} />
    </section>
  )
}

/** When a request may pass, in words: `May pass in 3.2 s, limited by tpm`. */
export const waitText = ({ wait_seconds: seconds, limiting }: WaitTime): string => {
  const by = limiting === null ? '' : `, limited by ${limiting}`
  if (seconds === null) return `Can never pass${by}: the limit is smaller than the request, or paused`
  return seconds === 0 ? 'May pass now' : `May pass in ${spanText(seconds)}${by}`
}
