import { ConditionalCheckFailedException, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type {
  CloseOutcome,
  Closing,
  ExtendOutcome,
  Extension,
  ReservationStore,
} from '../../core/charge/reservation-store.ts'
import { type StoredItem, toItem } from './attribute-values.ts'
import type { DynamoClient } from './client.ts'
import { toIsoTime } from './items/iso-time.ts'
import { createItemReader } from './items/item-reader.ts'
import { reservationItem, toReservation, ttlOf } from './items/reservation-item.ts'
import { createItemThatFailed } from './table/failed-condition.ts'
import { createTableReads } from './table/table-reads.ts'
import { absent, conditionInput } from './table/table-write.ts'
import { reservationKey } from './table-keys.ts'

const isOpen = '#state = :open AND #owner = :owner AND #expires_at > :now'

/** Reservations in the table, one item each; it is closed by one UpdateItem. */
export const createDynamoReservationStore = (client: DynamoClient, tableName: string): ReservationStore => {
  const itemThatFailed = createItemThatFailed(createTableReads(client, tableName).get)
  return {
    async put(reservation) {
      const command = new PutItemCommand({
        TableName: tableName,
        Item: reservationItem(reservation),
        ...conditionInput(absent),
      })
      await client.run((sdk) => sdk.send(command))
    },
    async close(closing) {
      try {
        const { Attributes = {} } = await client.run((sdk) => sdk.send(closeCommand(tableName, closing)))
        return { outcome: 'closed', reservation: toReservation(Attributes) }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return notClosed(await itemThatFailed(error, reservationKey(closing.id)), closing)
      }
    },
    async extend(extension) {
      try {
        await client.run((sdk) => sdk.send(extendCommand(tableName, extension)))
        return { outcome: 'open', expiresAt: extension.expiresAt }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        return notExtended(await itemThatFailed(error, reservationKey(extension.id)), extension)
      }
    },
  }
}

const closeCommand = (tableName: string, { id, ownerId, as, now, closedBy }: Closing): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: toItem({ ...reservationKey(id) }),
    ConditionExpression: isOpen,
    UpdateExpression: 'SET #state = :ended, #closed_at = :now, #closed_by = :closed_by',
    ExpressionAttributeNames: {
      '#state': 'state',
      '#owner': 'owner',
      '#expires_at': 'expires_at',
      '#closed_at': 'closed_at',
      '#closed_by': 'closed_by',
    },
    ExpressionAttributeValues: toItem({
      ':open': 'open',
      ':owner': ownerId,
      ':now': toIsoTime(now),
      ':ended': as,
      ':closed_by': closedBy,
    }),
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })

const extendCommand = (tableName: string, { id, ownerId, now, expiresAt }: Extension): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: toItem({ ...reservationKey(id) }),
    ConditionExpression: `${isOpen} AND #expires_at < :expires_at`,
    UpdateExpression: 'SET #expires_at = :expires_at, #ttl = :ttl',
    ExpressionAttributeNames: {
      '#state': 'state',
      '#owner': 'owner',
      '#expires_at': 'expires_at',
      '#ttl': 'ttl',
    },
    ExpressionAttributeValues: toItem({
      ':open': 'open',
      ':owner': ownerId,
      ':now': toIsoTime(now),
      ':expires_at': toIsoTime(expiresAt),
      ':ttl': ttlOf(expiresAt),
    }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })

/** Open still where it expires later than asked for. */
const notExtended = (item: StoredItem | undefined, { ownerId, now }: Extension): ExtendOutcome => {
  if (item === undefined) return { outcome: 'missing' }
  const read = createItemReader(item)
  if (read.text('owner') !== ownerId) return { outcome: 'missing' }
  const state = read.word('state', ['open', 'settled', 'released'])
  if (state !== 'open') return { outcome: 'ended', state }
  const expiresAt = read.time('expires_at')
  return expiresAt > now ? { outcome: 'open', expiresAt } : { outcome: 'ended', state: 'expired' }
}

const notClosed = (item: StoredItem | undefined, { ownerId, closedBy }: Closing): CloseOutcome => {
  if (item === undefined) return { outcome: 'missing' }
  const read = createItemReader(item)
  if (read.text('owner') !== ownerId) return { outcome: 'missing' }
  if (read.textOrNull('closed_by') === closedBy)
    return { outcome: 'closed', reservation: toReservation(item) }
  const state = read.word('state', ['open', 'settled', 'released'])
  return { outcome: 'ended', state: state === 'open' ? 'expired' : state }
}
