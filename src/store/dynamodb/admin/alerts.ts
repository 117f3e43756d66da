import type { Alert, AlertTarget } from '../../../core/model/alert.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { policyFields, toAlert } from '../alert-reader.ts'
import { type PlainValue, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { alertKey, INDEXED } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import type { TableWrites } from '../table-writes.ts'
import { createNamedItems } from './named-items.ts'

/** The META item of an alert, in the index of all alerts. Null fields are left out. */
const alertItem = (alert: Alert): StoredItem => {
  const { name, entityId, policy, limitName, shares, target } = alert
  return toItem({
    ...alertKey(name),
    GSI1PK: INDEXED.alerts,
    GSI1SK: name,
    ...(entityId !== null && { entity_id: entityId }),
    ...policyFields(policy),
    ...(limitName !== null && { limit_name: limitName }),
    shares,
    ...targetFields(target),
    created_at: toIsoTime(alert.createdAt),
    changed_at: toIsoTime(alert.changedAt),
    version: alert.version,
  })
}

const targetFields = (target: AlertTarget): Record<string, PlainValue> =>
  target.kind === 'webhook'
    ? { webhook: { url: target.url, secret: target.secret } }
    : { sns_topic_arn: target.topicArn }

type Alerts = Pick<AdminStore, 'alert' | 'putAlert' | 'deleteAlert' | 'listAlerts'>

/** Alerts in the table, listed by the index. */
export const createAlerts = (reads: TableReads, writes: TableWrites): Alerts => {
  const { get, put, remove, list } = createNamedItems(reads, writes, {
    listed: INDEXED.alerts,
    keyOf: alertKey,
    toItem: alertItem,
    fromItem: toAlert,
  })
  return { alert: get, putAlert: put, deleteAlert: remove, listAlerts: list }
}
