import type { ComponentProps } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { pathOf, unchangedSince } from '../api/api.ts'
import { fieldErrorOf, isFieldError } from '../api/errors.ts'
import { useAction, useQuery, useRefresh } from '../api/hooks.ts'
import type { Availability, Entity, Explanation, WaitTime } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { ResourceChoice } from '../limits/resource-choice.tsx'
import { NumberField } from '../parts/fields.tsx'
import { DoneNotice, EmptyState, ErrorNotice, NextStep } from '../parts/notices.tsx'
import { spanText } from '../parts/time.ts'
import { BucketLimits, type BucketStates, bucketKey, type ExplainedBucket } from './bucket-limits.tsx'
import { LimitActions } from './limit-actions.tsx'

/** The limits of an entity, by resource. The first one shown is the resource with the least available. */
export const LimitsSection = ({ entity }: { readonly entity: Entity }) => {
  const { api } = useSession()
  const { entity_id: id } = entity
  const scarcest = useQuery(
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
      <EffectiveLimits key={resource} entity={entity} resource={resource} />
      <WaitTimeCalculator entityId={id} resource={resource} />
    </>
  )
}

interface EffectiveLimitsProps {
  readonly entity: Entity
  readonly resource: string
}

/** The effective limits with their available amounts, and the other buckets that are also enforced. */
export const EffectiveLimits = ({ entity, resource }: EffectiveLimitsProps) => {
  const { mayWrite } = useSession()
  const { explained, left } = useEffectiveLimits(entity.entity_id, resource)
  const [done, setDone] = useState<ComponentProps<typeof DoneNotice> | undefined>(undefined)
  const reload = (done: ComponentProps<typeof DoneNotice>) => {
    setDone(done)
    explained.reload()
    left.reload()
  }
  const explanation = explained.data?.body
  const own = { entity_id: entity.entity_id, resource, limits: explanation?.limits ?? [] }
  return (
    <>
      {done !== undefined && <DoneNotice {...done} />}
      <section class="card" aria-label="Effective limits">
        <div class="card-head">
          <h2>Limits on {resource}</h2>
          {mayWrite && explained.data && (
            <LimitActions
              entityId={entity.entity_id}
              explained={explained.data.body}
              condition={unchangedSince(explained.data)}
              onChanged={reload}
            />
          )}
        </div>
        <ErrorNotice error={explained.error ?? left.error} />
        {!explained.data && !explained.error && <p class="quiet">Loading…</p>}
        {explained.data && own.limits.length === 0 && (
          <EmptyState title={`${entity.entity_id} has no limits on ${resource}`}>
            <NextStep writer="Select “Edit limits” to set some." viewer="An administrator can set limits." />
          </EmptyState>
        )}
        <BucketLimits bucket={own} states={left.data?.get(bucketKey(own))} />
      </section>
      <OtherBuckets buckets={explanation?.also_enforced ?? []} states={left.data} />
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
          key={bucketKey(bucket)}
          bucket={bucket}
          states={states?.get(bucketKey(bucket))}
          isNamed
        />
      ))}
    </section>
  )

const REFRESH_MS = 2000

/**
 * The effective limits of an entity on a resource, with their sources, and the available amounts, which are
 * refreshed.
 */
export const useEffectiveLimits = (entityId: string, resource: string) => {
  const { api } = useSession()
  const explained = useQuery(
    (signal) => api.getTagged<Explanation>(pathOf('api/limits', entityId, 'explain'), { resource }, signal),
    [entityId, resource],
  )
  const left = useQuery(
    async (signal): Promise<BucketStates> => {
      const path = pathOf('api/dashboard/availability', entityId)
      const { also_enforced = [], ...own } = await api.get<Availability>(path, { resource }, signal)
      return new Map([own, ...also_enforced].map((bucket) => [bucketKey(bucket), bucket.limits]))
    },
    [entityId, resource],
  )
  useRefresh(left, REFRESH_MS)
  useReloadAtTransition(explained.data?.body, explained.reload)
  return { explained, left }
}

/** A timer cannot wait longer. */
const MOST_WAIT_MS = 2 ** 31 - 1

/** Reads the limits again when a schedule gives one of them another size. */
const useReloadAtTransition = (explanation: Explanation | undefined, reload: () => void): void => {
  const buckets = explanation ? [explanation, ...explanation.also_enforced] : []
  const ends = buckets.flatMap(({ limits }) =>
    limits.flatMap(({ winner }) => winner.schedule_state?.ends_at ?? []),
  )
  const first = Math.min(...ends)
  useEffect(() => {
    // a second later, as clocks differ
    const waitMs = Math.max(first * 1000 - Date.now(), 0) + 1000
    if (waitMs > MOST_WAIT_MS) return
    const timer = setTimeout(reload, waitMs)
    return () => clearTimeout(timer)
  }, [first, explanation, reload])
}

interface WaitTimeCalculatorProps {
  readonly entityId: string
  readonly resource: string
}

/** Calculates the wait time of a request. */
export const WaitTimeCalculator = ({ entityId, resource }: WaitTimeCalculatorProps) => {
  const { api } = useSession()
  const [rpm, setRpm] = useState('1')
  const [tpm, setTpm] = useState('1000')
  const [text, setText] = useState<string | undefined>(undefined)
  useEffect(() => setText(undefined), [entityId, resource])
  const calculation = useAction(async () => {
    setText(undefined)
    const path = pathOf('api/dashboard/wait-time', entityId)
    const parameters = { rpm: rpm || undefined, tpm: tpm || undefined, resource }
    setText(waitText(await api.get<WaitTime>(path, parameters)))
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    void calculation.run()
  }
  return (
    <section class="card" aria-label="Wait time">
      <h2>How long would a request wait?</h2>
      <form class="field-row wait-time" onSubmit={submit}>
        <NumberField
          label="Requests"
          value={rpm}
          min={0}
          error={fieldErrorOf(calculation.error, 'rpm')}
          onValue={setRpm}
        />
        <NumberField
          label="Tokens"
          value={tpm}
          min={0}
          error={fieldErrorOf(calculation.error, 'tpm')}
          onValue={setTpm}
        />
        <button class="button" type="submit" disabled={calculation.isRunning}>
          Calculate
        </button>
        <output class="wait-result">{text}</output>
      </form>
      <ErrorNotice error={isFieldError(calculation.error, ['rpm', 'tpm']) ? undefined : calculation.error} />
    </section>
  )
}

/** A wait time in words: `May pass in 3.2 s, limited by tpm`. */
export const waitText = ({ wait_seconds: seconds, limiting }: WaitTime): string => {
  const by = limiting === null ? '' : `, limited by ${limiting}`
  if (seconds === null) return `Can never pass${by}: the limit is smaller than the request, or paused`
  return seconds === 0 ? 'May pass now' : `May pass in ${spanText(seconds)}${by}`
}
