import './try-it.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useModelIds, useQuery } from '../api/hooks.ts'
import type { Entities } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { CurlCard } from './curl-card.tsx'
import { LimitsCard } from './limits-card.tsx'
import { callerOf, type Draft, type DraftErrors, parseDraft } from './request-draft.ts'
import { RequestForm } from './request-form.tsx'
import { ResultsCard } from './results-card.tsx'
import { useRun } from './run.ts'
import { useWatchedLimits } from './watched-limits.ts'

/** Sends requests to models as an entity or with a key, and shows the limits and the responses. */
export const TryItView = ({ id }: { readonly id: string | undefined }) => {
  const { draft, change, errors, setErrors } = useRequestDraft(id)
  const models = useModelIds()
  const run = useRun()
  const limits = useWatchedLimits(callerOf(draft), draft.model, run)
  const send = () => {
    const parsed = parseDraft(draft)
    if ('errors' in parsed) return setErrors(parsed.errors)
    run.start(parsed.run)
  }
  return (
    <>
      <header class="view-head">
        <h1>Try it</h1>
      </header>
      <div class="try-columns">
        <div class="try-column">
          <RequestForm
            draft={draft}
            errors={errors}
            change={change}
            models={models.includes(draft.model) ? models : [draft.model, ...models]}
            isRunning={run.count !== undefined}
            onSend={send}
            onStop={run.stop}
          />
          <ResultsCard run={run} meters={limits.meters} />
        </div>
        <div class="try-column">
          <LimitsCard {...limits} />
          <CurlCard draft={draft} />
        </div>
      </div>
    </>
  )
}

const useRequestDraft = (id: string | undefined) => {
  const { mayWrite, default_model } = useSession()
  const [errors, setErrors] = useState<DraftErrors>({})
  const [draft, setDraft] = useState<Draft>({
    callerKind: mayWrite ? 'entity' : 'key',
    entityId: id ?? '',
    key: '',
    api: 'chat',
    model: default_model,
    maxTokens: '50',
    message: 'Hello',
    count: '1',
    parallelism: '1',
    streams: false,
  })
  const isChosen = useRef(id !== undefined)
  const suggested = useSuggestedCaller(id === undefined && mayWrite)
  useEffect(() => {
    if (suggested !== undefined && !isChosen.current) setDraft((last) => ({ ...last, entityId: suggested }))
  }, [suggested])
  const change = (fields: Partial<Draft>) => {
    if ('entityId' in fields) isChosen.current = true
    setDraft((last) => ({ ...last, ...fields }))
    setErrors((last) => ({ ...last, ...cleared(fields) }))
  }
  return { draft, change, errors, setErrors }
}

/** Removes the errors of changed fields until the next submit. */
const cleared = (fields: Partial<Draft>): DraftErrors =>
  Object.fromEntries(Object.keys(fields).map((field) => [field, undefined]))

const MAX_ENTITIES_READ = 100

/** An entity to send the first request as, so that it takes one click; undefined until it is loaded. */
const useSuggestedCaller = (isNeeded: boolean): string | undefined => {
  const { api } = useSession()
  const { data } = useQuery(
    async (signal) =>
      isNeeded ? api.get<Entities>('api/entities', { limit: MAX_ENTITIES_READ }, signal) : undefined,
    [isNeeded],
  )
  return data && suggestedCaller(data.items)
}

/** Of the demo data: its few requests per minute are soon used up. */
const DEMO_CALLER = 'key-bob'

/** The demo's caller, else the first entity below another, else the first. */
export const suggestedCaller = (
  entities: readonly Pick<Entities['items'][number], 'entity_id' | 'parent_id'>[],
): string | undefined =>
  (
    entities.find(({ entity_id }) => entity_id === DEMO_CALLER) ??
    entities.find(({ parent_id }) => parent_id !== null) ??
    entities[0]
  )?.entity_id
