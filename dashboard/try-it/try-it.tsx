import './try-it.css'
import { useState } from 'preact/hooks'
import { useModelIds } from '../api/hooks.ts'
import { useSession } from '../api/session.tsx'
import { CurlCard } from './curl-card.tsx'
import { LimitsCard } from './limits-card.tsx'
import { callerOf, type Draft, type DraftErrors, parseDraft } from './request-draft.ts'
import { RequestForm } from './request-form.tsx'
import { ResultsCard } from './results-card.tsx'
import { useRun } from './run.ts'
import { useWatchedLimits } from './watched-limits.ts'

/** Sends chats as an entity or with a key, and shows the limits and the responses. */
export const TryItView = ({ id }: { readonly id: string | undefined }) => {
  const { draft, change, errors, setErrors } = useDraft(id)
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

const useDraft = (id: string | undefined) => {
  const { mayWrite, default_model } = useSession()
  const [errors, setErrors] = useState<DraftErrors>({})
  const [draft, setDraft] = useState<Draft>({
    callerKind: mayWrite ? 'entity' : 'key',
    entityId: id ?? '',
    key: '',
    model: default_model,
    maxTokens: '50',
    message: 'Hello',
    count: '1',
    parallelism: '1',
    streams: false,
  })
  const change = (fields: Partial<Draft>) => {
    setDraft((last) => ({ ...last, ...fields }))
    setErrors((last) => ({ ...last, ...cleared(fields) }))
  }
  return { draft, change, errors, setErrors }
}

/** Removes the errors of changed fields until the next submit. */
const cleared = (fields: Partial<Draft>): DraftErrors =>
  Object.fromEntries(Object.keys(fields).map((field) => [field, undefined]))
