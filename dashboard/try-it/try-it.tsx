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

/** Sends chats as an entity or with a key, and shows what limits make of them. */
export const TryItView = ({ id }: { readonly id: string | undefined }) => {
  const { draft, change, mistakes, setMistakes } = useDraft(id)
  const models = useModelIds()
  const run = useRun()
  const limits = useWatchedLimits(callerOf(draft), draft.model, run)
  const send = () => {
    const drafted = parseDraft(draft)
    if ('mistakes' in drafted) return setMistakes(drafted.mistakes)
    run.start(drafted.plan)
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
            mistakes={mistakes}
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
  const [mistakes, setMistakes] = useState<DraftErrors>({})
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
    setMistakes((last) => ({ ...last, ...cleared(fields) }))
  }
  return { draft, change, mistakes, setMistakes }
}

/** What is being mended is no mistake until it is sent again. */
const cleared = (fields: Partial<Draft>): DraftErrors =>
  Object.fromEntries(Object.keys(fields).map((field) => [field, undefined]))
