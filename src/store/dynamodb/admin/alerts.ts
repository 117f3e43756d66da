import type { Alert, AlertTarget } from '../../../core/model/alert.ts'
import { POLICY_SCOPES, type PolicyKey } from '../../../core/model/policy.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import type { AlertReader } from '../../../core/ports/alert-store.ts'
import {
  createItemReader,
  type ItemReader,
  type PlainValue,
  type StoredItem,
  toIsoTime,
  toItem,
} from '../attributes.ts'
import type { DynamoClient } from '../client.ts'
import { alertKey, INDEXED, idOf } from '../table-keys.ts'
import { createTableReads, type TableReads, wholeIndex } from '../table-reads.ts'
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
  })
}

const targetFields = (target: AlertTarget): Record<string, PlainValue> =>
  target.kind === 'webhook'
    ? { webhook: { url: target.url, secret: target.secret } }
    : { sns_topic_arn: target.topicArn }

/** A policy in an item of alerts; no field if there is none. */
export const policyFields = (policy: PolicyKey | null): Record<string, PlainValue> =>
  policy === null ? {} : { policy: { scope: policy.scope, selector: policy.selector } }

/** The policy in an item; null if there is none. */
export const policyIn = (read: ItemReader): PolicyKey | null => {
  const policy = read.mapOrNull('policy')
  return policy && { scope: policy.word('scope', POLICY_SCOPES), selector: policy.text('selector') }
}

/** Throws an error that names the item if it is unreadable. */
const toAlert = (item: StoredItem): Alert => {
  const read = createItemReader(item)
  return {
    name: idOf(read.text('PK')),
    entityId: read.textOrNull('entity_id'),
    policy: policyIn(read),
    limitName: read.textOrNull('limit_name'),
    shares: read.numbers('shares'),
    target: targetIn(read),
    createdAt: read.time('created_at'),
    changedAt: read.time('changed_at'),
  }
}

const targetIn = (read: ItemReader): AlertTarget => {
  const webhook = read.mapOrNull('webhook')
  return webhook === null
    ? { kind: 'sns', topicArn: read.text('sns_topic_arn') }
    : { kind: 'webhook', url: webhook.text('url'), secret: webhook.text('secret') }
}

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

/** For processes that send alerts. */
export const createDynamoAlertReader = (client: DynamoClient, tableName: string): AlertReader => {
  const reads = createTableReads(client, tableName)
  return {
    async alert(name) {
      const item = await reads.get(alertKey(name))
      return item && toAlert(item)
    },
    listAlerts: async () => (await wholeIndex(reads, INDEXED.alerts)).map(toAlert),
  }
}
