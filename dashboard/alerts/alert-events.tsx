import { useQuery, useRefresh } from '../api/hooks.ts'
import type { AlertEvent, AlertEvents } from '../api/responses.ts'
import { useSession } from '../api/session.tsx'
import { Older } from '../parts/controls.tsx'
import { EmptyState, ErrorNotice } from '../parts/notices.tsx'
import { momentText } from '../parts/time.ts'
import { amountsText, reachedText } from './alert-draft.ts'

const PER_PAGE = 20

const REFRESH_MS = 10_000

/** What alerts reported, newest first, and whether it arrived. */
export const AlertEventsSection = () => {
  const { api } = useSession()
  const query = useQuery(
    (signal) => api.get<AlertEvents>('api/alerts/events', { limit: PER_PAGE }, signal),
    [],
  )
  useRefresh(query, REFRESH_MS)
  const { data, error } = query
  return (
    <section class="card" aria-labelledby="alert-events-title">
      <h2 id="alert-events-title">Reported</h2>
      <ErrorNotice error={error} />
      {!(data || error) && <p class="quiet">Loading…</p>}
      {data?.items.length === 0 && (
        <EmptyState title="Nothing reported yet">
          <p>A limit that has reached a share of an alert appears here within seconds.</p>
        </EmptyState>
      )}
      {data && data.items.length > 0 && <Events page={data} />}
    </section>
  )
}

/** A page, and older ones on request. */
const Events = ({ page: { items, next_cursor } }: { readonly page: AlertEvents }) => (
  <>
    <ol class="alert-events">
      {items.map((event) => (
        <EventRow key={event.id} event={event} />
      ))}
    </ol>
    {next_cursor !== null && (
      <Older>
        <OlderEvents cursor={next_cursor} />
      </Older>
    )}
  </>
)

const OlderEvents = ({ cursor }: { readonly cursor: string }) => {
  const { api } = useSession()
  const { data, error } = useQuery(
    (signal) => api.get<AlertEvents>('api/alerts/events', { limit: PER_PAGE, cursor }, signal),
    [cursor],
  )
  if (error) return <ErrorNotice error={error} />
  return data ? <Events page={data} /> : <p class="quiet">Loading…</p>
}

const STATE_CLASSES: Readonly<Record<AlertEvent['state'], string>> = {
  delivered: 'tag good',
  pending: 'tag warn',
  failed: 'tag bad',
}

const EventRow = ({ event }: { readonly event: AlertEvent }) => (
  <li class="alert-event">
    <span>
      <span class={STATE_CLASSES[event.state]}>{event.state}</span>
    </span>
    <div class="item-facts">
      <strong>{reachedText(event)}</strong>
      <span>{amountsText(event)}</span>
      <span class="quiet">{deliveryText(event)}</span>
    </div>
    <time dateTime={new Date(event.at * 1000).toISOString()}>{momentText(event.at)}</time>
  </li>
)

/** `by budgets, 2 attempts: the receiver responded with 500, next 30 Nov 2026, 10:00:30` */
export const deliveryText = ({
  alert,
  attempts,
  reason,
  next_attempt_at,
}: Pick<AlertEvent, 'alert' | 'attempts' | 'reason' | 'next_attempt_at'>): string => {
  const tries = `by ${alert}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const why = reason === null ? '' : `: ${reason}`
  return `${tries}${why}${next_attempt_at === null || attempts === 0 ? '' : `, next ${momentText(next_attempt_at)}`}`
}
