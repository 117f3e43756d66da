import {
  ALERT_NAME_RULE,
  type Alert,
  type AlertDraft,
  type AlertTarget,
  isAlertName,
  MAX_ALERTS,
} from '../model/alert.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import { alertToJson } from '../model/json.ts'
import { ALERT_REMOVED, type AlertEventStore } from '../ports/alert-store.ts'
import { type AdminDependencies, auditRecord, nextVersion, untilUnchanged } from './audit.ts'
import { checkItemPrecondition, type Precondition } from './precondition.ts'

/** Configured alerts. All methods throw `StoreUnavailable`. */
export interface AlertService {
  /** By name, ascending. */
  list(): Promise<readonly Alert[]>
  /** Throws `not_found`. */
  get(name: string): Promise<Alert>
  /**
   * Creates or replaces the alert. Throws `invalid_request`, also if this deployment cannot reach its target, `conflict`, and
   * `precondition_failed` as `LimitSetService.replace`.
   */
  put(
    name: string,
    draft: AlertDraft,
    actor: string,
    precondition?: Precondition,
  ): Promise<{ readonly alert: Alert; readonly created: boolean }>
  /** Throws `not_found`, and `precondition_failed`. What has not been delivered fails. */
  remove(name: string, actor: string, precondition?: Precondition): Promise<void>
}

/** Why this deployment cannot send to a target; undefined: it can. `must` completes "<field> must …". */
export type TargetCheck = (
  target: AlertTarget,
) => Promise<{ readonly field: string; readonly must: string } | undefined>

export interface AlertDependencies extends AdminDependencies {
  readonly alertEvents: Pick<AlertEventStore, 'pending' | 'update'>
  readonly checkAlertTarget: TargetCheck
}

export const createAlertService = (deps: AlertDependencies): AlertService => ({
  list: () => deps.store.listAlerts(),
  get: (name) => existing(deps, name),
  put: (name, draft, actor, precondition = {}) => putAlert(deps, name, draft, actor, precondition),
  remove: (name, actor, precondition = {}) => removeAlert(deps, name, actor, precondition),
})

const existing = async ({ store }: AlertDependencies, name: string): Promise<Alert> => {
  const alert = await store.alert(name)
  if (alert === undefined) throw missing(name)
  return alert
}

const putAlert = async (
  deps: AlertDependencies,
  name: string,
  draft: AlertDraft,
  actor: string,
  precondition: Precondition,
) => {
  if (!isAlertName(name)) throw invalid('name', ALERT_NAME_RULE)
  const fault = await deps.checkAlertTarget(draft.target)
  if (fault !== undefined) throw invalid(fault.field, fault.must)
  return untilUnchanged(async () => {
    const before = await deps.store.alert(name)
    checkItemPrecondition(before, precondition)
    if (before === undefined) await rejectTooMany(deps)
    const changedAt = deps.clock.now()
    const createdAt = before?.createdAt ?? changedAt
    const version = nextVersion(changedAt, before?.version ?? null)
    const alert: Alert = { ...draft, name, createdAt, changedAt, version }
    const audit = auditRecord(deps, {
      actor,
      action: 'alert.put',
      subject: `ALERT#${name}`,
      before: before === undefined ? null : alertToJson(before),
      after: alertToJson(alert),
    })
    if ((await deps.store.putAlert(alert, audit, before?.version ?? null)) === 'changed') return 'changed'
    deps.changed({ alertName: name })
    return { alert, created: before === undefined }
  })
}

const rejectTooMany = async ({ store }: AlertDependencies): Promise<void> => {
  if ((await store.listAlerts()).length < MAX_ALERTS) return
  throw new ZaelError('conflict', `There are ${MAX_ALERTS} alerts, which is the most: remove one first`)
}

const removeAlert = async (
  deps: AlertDependencies,
  name: string,
  actor: string,
  precondition: Precondition,
): Promise<void> => {
  await untilUnchanged(async () => {
    const before = await existing(deps, name)
    checkItemPrecondition(before, precondition)
    const audit = auditRecord(deps, {
      actor,
      action: 'alert.delete',
      subject: `ALERT#${name}`,
      before: alertToJson(before),
      after: null,
    })
    const outcome = await deps.store.deleteAlert(name, audit, before.version)
    return outcome === 'missing' ? 'changed' : outcome
  })
  deps.changed({ alertName: name })
  await endPending(deps, name)
}

const MOST_ENDED = 1000

/** Ends the deliveries of a removed alert: once there is no alert, the aggregator looks for none. */
const endPending = async ({ alertEvents, clock }: AlertDependencies, name: string): Promise<void> => {
  const pending = (await alertEvents.pending(MOST_ENDED)).filter(({ alert }) => alert === name)
  const endedAt = clock.now()
  for (const event of pending) {
    const { attempts } = event
    const ended = { state: 'failed', attempts, dueAt: null, reason: ALERT_REMOVED, endedAt } as const
    await alertEvents.update(event, ended)
  }
}

const missing = (name: string) => new ZaelError('not_found', `There is no alert ${name}`)
