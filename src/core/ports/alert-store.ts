import type { Alert, AlertEvent, DeliveryState } from '../model/alert.ts'
import type { AdminStore, Page, PageRequest } from './admin-store.ts'

/** The part of an event that identifies it and the state that a change of its delivery replaces. */
export type StoredDelivery = Pick<AlertEvent, 'bucket' | 'limitName' | 'window' | 'share' | 'alert'> &
  Pick<DeliveryState, 'attempts' | 'dueAt'>

/**
 * What was alerted, each once whichever process observes it. Every adapter passes `test/store/alert-event-store-suite.ts`. All throw
 * `StoreUnavailable`.
 */
export interface AlertEventStore {
  /** Puts the event unless it exists: one conditional write. */
  raise(event: AlertEvent): Promise<'raised' | 'exists'>
  /** Events whose delivery has not ended, oldest first; at most `limit`. */
  pending(limit: number): Promise<readonly AlertEvent[]>
  /** Replaces the state of a pending delivery on condition that it still has these attempts and this due time. */
  update(event: StoredDelivery, next: DeliveryState): Promise<'updated' | 'changed'>
  /** Newest first. An unreadable cursor throws `invalid('cursor', …)`. */
  listEvents(page: PageRequest): Promise<Page<AlertEvent>>
}

/** Reads the configured alerts. Both throw `StoreUnavailable`. */
export type AlertReader = Pick<AdminStore, 'alert' | 'listAlerts'>

/** Why an event fails whose alert no longer exists. */
export const ALERT_REMOVED = 'the alert was removed'

/** Why an attempt to deliver failed; for administrators: it contains no secret and nothing that the receiver sent. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed'
}

/** A message to the receivers of an alert. */
export interface AlertMessage {
  readonly id: string
  readonly subject: string
  /** JSON */
  readonly body: string
}

/** Sends one message once. Rejects with `DeliveryFailed`; other errors are defects. */
export interface AlertSender {
  send(target: Alert['target'], message: AlertMessage): Promise<void>
}
