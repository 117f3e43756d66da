import type { Alert, AlertTarget } from '../../core/model/alert.ts'
import { POLICY_SCOPES, type PolicyKey } from '../../core/model/policy.ts'
import type { AlertReader } from '../../core/ports/alert-store.ts'
import { createItemReader, type ItemReader, type PlainValue, type StoredItem } from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { alertKey, INDEXED, idOf } from './table-keys.ts'
import { createTableReads, wholeIndex } from './table-reads.ts'

/** The configured alerts, for processes that send them: a part of the admin store without what that writes. */
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

/** A policy in an item of alerts; no field if there is none. */
export const policyFields = (policy: PolicyKey | null): Record<string, PlainValue> =>
  policy === null ? {} : { policy: { scope: policy.scope, selector: policy.selector } }

/** The policy in an item; null if there is none. */
export const policyIn = (read: ItemReader): PolicyKey | null => {
  const policy = read.mapOrNull('policy')
  return policy && { scope: policy.word('scope', POLICY_SCOPES), selector: policy.text('selector') }
}

/** Throws an error that names the item if it is unreadable. */
export const toAlert = (item: StoredItem): Alert => {
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
    // absent from items that were written before they had it
    version: read.has('version') ? read.integer('version') : 0n,
  }
}

const targetIn = (read: ItemReader): AlertTarget => {
  const webhook = read.mapOrNull('webhook')
  return webhook === null
    ? { kind: 'sns', topicArn: read.text('sns_topic_arn') }
    : { kind: 'webhook', url: webhook.text('url'), secret: webhook.text('secret') }
}
