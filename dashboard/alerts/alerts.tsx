import './alerts.css'
import { useState } from 'preact/hooks'
import { pathOf } from '../api/api.ts'
import { useQuery } from '../api/hooks.ts'
import type { Alert, Alerts } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Confirm } from '../parts/dialog.tsx'
import { DoneNotice, EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { observedText, percentText, receiverText } from './alert-draft.ts'
import { AlertEventsSection } from './alert-events.tsx'
import { AlertForm } from './alert-form.tsx'

export const AlertsView = () => (
  <>
    <header class="view-head">
      <h1>Alerts</h1>
    </header>
    <AlertsSection />
    <AlertEventsSection />
  </>
)

type Task =
  | { readonly kind: 'edit'; readonly alert: Alert | undefined }
  | { readonly kind: 'remove'; readonly alert: Alert }

/** The configured alerts. */
const AlertsSection = () => {
  const { api, mayWrite } = useSession()
  const { data, error, reload } = useQuery((signal) => api.get<Alerts>('api/alerts', {}, signal), [])
  const [task, setTask] = useState<Task | undefined>(undefined)
  const [removed, setRemoved] = useState<string | undefined>(undefined)
  const begin = (next: Task) => {
    setRemoved(undefined)
    setTask(next)
  }
  const finish = () => {
    if (task?.kind === 'remove') setRemoved(task.alert.name)
    setTask(undefined)
    reload()
  }
  return (
    <section class="card" aria-labelledby="alerts-title">
      <div>
        <div class="card-head">
          <h2 id="alerts-title">Configured</h2>
          {mayWrite && (
            <button class="button" type="button" onClick={() => begin({ kind: 'edit', alert: undefined })}>
              Add an alert
            </button>
          )}
        </div>
        <p class="quiet">
          Each reports once per limit, window and share. A change takes effect within 30 seconds.
        </p>
      </div>
      {removed !== undefined && <DoneNotice text={`${removed} is removed.`} takesFocus />}
      <ErrorNotice error={error} />
      {data?.items.length === 0 && <NoAlerts />}
      {data && data.items.length > 0 && (
        <ul class="alerts" aria-labelledby="alerts-title">
          {data.items.map((alert) => (
            <AlertRow
              key={alert.name}
              alert={alert}
              onEdit={() => begin({ kind: 'edit', alert })}
              onRemove={() => begin({ kind: 'remove', alert })}
            />
          ))}
        </ul>
      )}
      {task && <AlertTask task={task} onDone={finish} onClose={() => setTask(undefined)} />}
    </section>
  )
}

const NoAlerts = () => {
  const { mayWrite } = useSession()
  return (
    <EmptyState title="No alerts yet">
      <p>
        {mayWrite
          ? 'Select “Add an alert” to be informed when a limit has reached 80 %, such as a monthly budget.'
          : 'An administrator can add alerts.'}
      </p>
    </EmptyState>
  )
}

interface TaskProps {
  readonly task: Task
  onDone(): void
  onClose(): void
}

const AlertTask = ({ task, onDone, onClose }: TaskProps) => {
  const { api } = useSession()
  if (task.kind === 'edit') return <AlertForm alert={task.alert} onSaved={onDone} onClose={onClose} />
  const { name } = task.alert
  return (
    <Confirm
      title={`Remove ${name}?`}
      action={`Remove ${name}`}
      act={() => api.send('DELETE', pathOf('api/alerts', name))}
      onDone={onDone}
      onClose={onClose}
    >
      <p>What it has not delivered yet is given up. What it reported stays in the list.</p>
    </Confirm>
  )
}

interface RowProps {
  readonly alert: Alert
  onEdit(): void
  onRemove(): void
}

const AlertRow = ({ alert, onEdit, onRemove }: RowProps) => {
  const { mayWrite } = useSession()
  const { name, shares } = alert
  return (
    <li class="alert">
      <strong class="alert-facts">{name}</strong>
      <div class="alert-facts">
        <span>
          {observedText(alert)}, at {shares.map(percentText).join(', ')}
        </span>
        <span class="quiet">{receiverText(alert)}</span>
      </div>
      {mayWrite && (
        <div class="actions">
          <button class="button small" type="button" onClick={onEdit} aria-label={`Edit ${name}`}>
            Edit
          </button>
          <button class="button small danger" type="button" onClick={onRemove} aria-label={`Remove ${name}`}>
            Remove
          </button>
        </div>
      )}
    </li>
  )
}
