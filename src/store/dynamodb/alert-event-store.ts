import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import {
  type AlertEvent,
  type DeliveryState,
  EVENT_STATES,
  type ReachedShare,
} from '../../core/model/alert.ts'
import { METERS } from '../../core/model/meter.ts'
import { DAY_NS, larger, SECOND_NS } from '../../core/model/time.ts'
import type { PageRequest } from '../../core/ports/admin-store.ts'
import type { AlertEventStore, StoredDelivery } from '../../core/ports/alert-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { policyFields, policyIn } from './alert-reader.ts'
import {
  createItemReader,
  fromIsoTime,
  type PlainValue,
  type StoredItem,
  toIsoTime,
  toItem,
} from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { conditionHolds } from './store-error.ts'
import { alertEventKey, INDEX, INDEXED } from './table-keys.ts'
import { createTableReads, type TableReads } from './table-reads.ts'
import { absent, conditionInput } from './table-writes.ts'

/** How long an event is listed after its window, within which it must not be sent again. */
const KEPT_NS = 90n * DAY_NS

/**
 * Alert events in the table: one item per bucket, limit, window, share and alert, whose key makes it unique. The index lists
 * pending and ended ones separately, so that the search for due deliveries reads no others.
 */
export const createDynamoAlertEventStore = (client: DynamoClient, tableName: string): AlertEventStore => {
  const reads = createTableReads(client, tableName)
  return {
    async raise(event) {
      const input = { TableName: tableName, Item: eventItem(event), ...conditionInput(absent) }
      const write = client.run((sdk, { PutItemCommand }) => sdk.send(new PutItemCommand(input)))
      return (await conditionHolds(write)) ? 'raised' : 'exists'
    },
    async update(event, next) {
      const input = { TableName: tableName, Key: toItem({ ...keyOf(event) }), ...updateInput(event, next) }
      const write = client.run((sdk, { UpdateItemCommand }) => sdk.send(new UpdateItemCommand(input)))
      return (await conditionHolds(write)) ? 'updated' : 'changed'
    },
    async pending(limit) {
      const { items } = await reads.indexPage(INDEX, INDEXED.pendingAlertEvents, 'all', { limit })
      return items.map(toEvent)
    },
    listEvents: (page) => listEvents(reads, page),
  }
}

const keyOf = (event: Pick<ReachedShare, 'bucket' | 'limitName' | 'share' | 'alert' | 'window'>) =>
  alertEventKey(event, toIsoTime(event.window.start))

const eventItem = (event: AlertEvent): StoredItem =>
  toItem({
    ...keyOf(event),
    ...positionOf(event),
    id: event.id,
    bucket: event.bucket,
    ...(event.entityId !== null && { entity_id: event.entityId }),
    ...policyFields(event.policy),
    resource: event.resource,
    limit_name: event.limitName,
    ...(event.meter !== null && { meter: event.meter }),
    share: event.share,
    window_start: toIsoTime(event.window.start),
    window_end: toIsoTime(event.window.end),
    used: event.used,
    capacity: event.capacity,
    at: toIsoTime(event.at),
    ttl: (larger(event.window.end, event.at) + KEPT_NS) / SECOND_NS,
    ...Object.fromEntries(stateFields(event).filter(([, value]) => value !== null)),
  })

/** The place of an event in the list. */
const positionOf = ({ state, at, id }: Pick<AlertEvent, 'state' | 'at' | 'id'>) => ({
  GSI1PK: listOf(state),
  GSI1SK: `${toIsoTime(at)}#${id}`,
})

const listOf = (state: DeliveryState['state']): string =>
  state === 'pending' ? INDEXED.pendingAlertEvents : INDEXED.endedAlertEvents

const stateFields = (state: DeliveryState): readonly (readonly [name: string, value: PlainValue])[] => [
  ['state', state.state],
  ['attempts', state.attempts],
  ['due_at', state.dueAt && toIsoTime(state.dueAt)],
  ['reason', state.reason],
  ['ended_at', state.endedAt && toIsoTime(state.endedAt)],
]

/** Sets the new state, and removes what is null in it, on condition of the previous one. */
const updateInput = (
  event: StoredDelivery,
  next: DeliveryState,
): Pick<
  UpdateItemCommandInput,
  'ConditionExpression' | 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
> => {
  const fields = [...stateFields(next), [INDEX.hash, listOf(next.state)] as const]
  const kept = fields.filter(([, value]) => value !== null)
  const gone = fields.filter(([, value]) => value === null)
  const set = kept.map(([name]) => `#${name} = :${name}`).join(', ')
  const remove = gone.length === 0 ? '' : ` REMOVE ${gone.map(([name]) => `#${name}`).join(', ')}`
  return {
    ConditionExpression: '#state = :pending AND #attempts = :tried AND #due_at = :due',
    UpdateExpression: `SET ${set}${remove}`,
    ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: toItem({
      ...Object.fromEntries(kept.map(([name, value]) => [`:${name}`, value])),
      ':pending': 'pending',
      ':tried': event.attempts,
      ':due': toIsoTime(event.dueAt ?? 0n),
    }),
  }
}

/** Throws an error that names the item if it is unreadable. */
const toEvent = (item: StoredItem): AlertEvent => {
  const read = createItemReader(item)
  return {
    id: read.text('id'),
    alert: read.text('SK'),
    bucket: read.text('bucket'),
    entityId: read.textOrNull('entity_id'),
    policy: policyIn(read),
    resource: read.text('resource'),
    limitName: read.text('limit_name'),
    meter: read.has('meter') ? read.word('meter', METERS) : null,
    share: read.number('share'),
    window: { start: read.time('window_start'), end: read.time('window_end') },
    used: read.number('used'),
    capacity: read.number('capacity'),
    at: read.time('at'),
    state: read.word('state', EVENT_STATES),
    attempts: read.number('attempts'),
    dueAt: read.timeOrNull('due_at'),
    reason: read.textOrNull('reason'),
    endedAt: read.timeOrNull('ended_at'),
  }
}

/** Merges the lists of pending and of ended events. */
const listEvents = async (reads: TableReads, { limit, cursor }: PageRequest) => {
  const before = positionIn(cursor)
  const lists = await Promise.all(
    [INDEXED.pendingAlertEvents, INDEXED.endedAlertEvents].map((list) =>
      reads.indexPage(INDEX, list, before === undefined ? 'all' : { from: ' ', to: before }, {
        // one for the event at the position itself, which the range includes, and one to see whether more follow
        limit: limit + 2,
        newestFirst: true,
      }),
    ),
  )
  const events = new Map<string, AlertEvent>()
  for (const { items } of lists)
    for (const item of items) {
      const position = item[INDEX.range]?.S ?? ''
      // an event that ends between the two reads is in both
      if (position !== before) events.set(position, toEvent(item))
    }
  const sorted = [...events].sort(([a], [b]) => (a < b ? 1 : -1))
  const page = sorted.slice(0, limit)
  const [last] = page.at(-1) ?? []
  return {
    items: page.map(([, event]) => event),
    nextCursor: last === undefined || sorted.length <= limit ? null : encodeCursor(last),
  }
}

/** The position of the last event of the previous page. */
const positionIn = (cursor: string | undefined): string | undefined => {
  const [position] = decodeCursor(cursor, 1) ?? []
  if (position === undefined) return undefined
  const [time = '', id = ''] = position.split('#')
  if (fromIsoTime(time) === undefined || id === '') throw badCursor()
  return position
}
