import pLimit from 'p-limit'
import type { Alert, AlertEvent, DeliveryState } from '../core/model/alert.ts'
import { MS_NS, SECOND_NS } from '../core/model/time.ts'
import {
  ALERT_REMOVED,
  type AlertEventStore,
  type AlertReader,
  type AlertSender,
  DeliveryFailed,
} from '../core/ports/alert-store.ts'
import type { Clock, Logger, Metrics } from '../core/ports/platform.ts'
import { messageOf } from './alert-message.ts'

export interface AlertDeliveryDependencies {
  /** The configured alerts, cached: without any, nothing is read. */
  readonly configured: () => Promise<readonly Alert[]>
  /** Strongly consistent. */
  readonly alert: AlertReader['alert']
  readonly events: Pick<AlertEventStore, 'pending' | 'update'>
  readonly sender: AlertSender
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Sends pending events. Any number of processes may do so at once: each attempt belongs to one of them. */
export interface AlertDelivery {
  /** Makes the attempts that are due and can begin within `withinMs`. Never throws. */
  deliver(withinMs: number): Promise<void>
}

export const MAX_ATTEMPTS = 5

/** The waits after failed attempts, in seconds: 36 minutes in all. */
export const RETRY_SECONDS: readonly number[] = [10, 60, 300, 1800]

/** An attempt without a result after this time counts as lost with its process. Longer than any attempt takes. */
export const ATTEMPT_LEASE_NS = 60n * SECOND_NS

const SENT_AT_ONCE = 8

const MOST_PENDING = 1000

export const createAlertDelivery = (deps: AlertDeliveryDependencies): AlertDelivery => {
  const failed = (error: unknown): void =>
    deps.logger.warn('alerts not delivered: they will be tried again', { error })
  return {
    async deliver(withinMs) {
      const latest = deps.clock.monotonic() + BigInt(withinMs) * MS_NS
      const due = await dueEvents(deps).catch(failed)
      await pLimit(SENT_AT_ONCE).map(due ?? [], async (event) => {
        if (deps.clock.monotonic() < latest) await deliverEvent(deps, event).catch(failed)
      })
    },
  }
}

const dueEvents = async ({
  configured,
  events,
  clock,
}: AlertDeliveryDependencies): Promise<readonly AlertEvent[]> => {
  if ((await configured()).length === 0) return []
  const now = clock.now()
  return (await events.pending(MOST_PENDING)).filter(({ dueAt }) => dueAt !== null && dueAt <= now)
}

/** Makes one attempt, unless another process makes it. Throws `StoreUnavailable`. */
const deliverEvent = async (deps: AlertDeliveryDependencies, event: AlertEvent): Promise<void> => {
  const alert = await deps.alert(event.alert)
  if (alert === undefined) return end(deps, event, { state: 'failed', reason: ALERT_REMOVED })
  // the lease of the last attempt has expired: whether it was received is unknown
  if (event.attempts >= MAX_ATTEMPTS)
    return end(deps, event, { state: 'failed', reason: 'the process ended during the last attempt' })
  const taken = await take(deps, event)
  if (taken === undefined) return
  const reason = await failureOf(deps, alert, taken)
  if (reason === undefined) return end(deps, taken, { state: 'delivered', reason: null })
  deps.metrics.count('alert_attempts_failed')
  const wait = RETRY_SECONDS[taken.attempts - 1]
  if (wait === undefined) return end(deps, taken, { state: 'failed', reason })
  await postpone(deps, taken, reason, wait)
}

/** The event with this attempt; undefined if another process has changed it. */
const take = async (
  { events, clock }: AlertDeliveryDependencies,
  event: AlertEvent,
): Promise<AlertEvent | undefined> => {
  const taken: DeliveryState = {
    state: 'pending',
    attempts: event.attempts + 1,
    dueAt: clock.now() + ATTEMPT_LEASE_NS,
    reason: event.reason,
    endedAt: null,
  }
  return (await events.update(event, taken)) === 'updated' ? { ...event, ...taken } : undefined
}

/** Undefined: the receiver has accepted the message. */
const failureOf = async (
  { sender, logger }: AlertDeliveryDependencies,
  { target }: Alert,
  event: AlertEvent,
): Promise<string | undefined> => {
  try {
    await sender.send(target, messageOf(event))
    return undefined
  } catch (error) {
    if (error instanceof DeliveryFailed) return error.message
    logger.error('alert not sent: a defect of zael', { alert: event.alert, id: event.id, error })
    return 'zael could not send it: see its log'
  }
}

const postpone = async (
  { events, clock, logger }: AlertDeliveryDependencies,
  event: AlertEvent,
  reason: string,
  waitSeconds: number,
): Promise<void> => {
  const { alert, id, attempts } = event
  logger.warn('alert not accepted: it will be sent again', { alert, id, attempts, reason, waitSeconds })
  const dueAt = clock.now() + BigInt(waitSeconds) * SECOND_NS
  await events.update(event, { state: 'pending', attempts, dueAt, reason, endedAt: null })
}

const end = async (
  { events, clock, logger, metrics }: AlertDeliveryDependencies,
  event: AlertEvent,
  { state, reason }: Pick<DeliveryState, 'state' | 'reason'>,
): Promise<void> => {
  const { alert, id, attempts, bucket, limitName, share } = event
  const ended = { state, attempts, dueAt: null, reason, endedAt: clock.now() }
  if ((await events.update(event, ended)) === 'changed') return
  if (state === 'delivered') {
    metrics.count('alerts_delivered')
    logger.info('alert delivered', { alert, id, attempts })
    return
  }
  metrics.count('alerts_failed')
  logger.error('alert not delivered', { alert, id, attempts, bucket, limitName, share, reason })
}
