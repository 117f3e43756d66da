import './alerts.css'
import { useQuery } from '../api/hooks.ts'
import type { Alert, Alerts } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { type ItemRowProps, ItemSection } from '../parts/item-section.tsx'
import { EmptyState, NextStep } from '../parts/notices.tsx'
import { observedText, receiverText, shareText } from './alert-draft.ts'
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

/** The configured alerts. */
const AlertsSection = () => {
  const { api } = useSession()
  const query = useQuery((signal) => api.get<Alerts>('api/alerts', {}, signal), [])
  return (
    <ItemSection
      collection="alerts"
      title="Configured"
      note="Each reports once per limit, window and share. A change takes effect within 30 seconds."
      add="Add an alert"
      query={query}
      nameOf={({ name }) => name}
      empty={<NoAlerts />}
      Row={AlertRow}
      Form={AlertForm}
      removal="What it has not delivered yet is given up. What it reported stays in the list."
    />
  )
}

const NoAlerts = () => (
  <EmptyState title="No alerts yet">
    <NextStep
      writer="Select “Add an alert” to be informed when a limit has reached 80 %, such as a monthly budget."
      viewer="An administrator can add alerts."
    />
  </EmptyState>
)

const AlertRow = ({ item: alert, actions }: ItemRowProps<Alert>) => (
  <li class="alert">
    <strong class="item-facts">{alert.name}</strong>
    <div class="item-facts">
      <span>
        {observedText(alert)}, at {alert.shares.map(shareText).join(', ')}
      </span>
      <span class="quiet">{receiverText(alert)}</span>
    </div>
    {actions}
  </li>
)
