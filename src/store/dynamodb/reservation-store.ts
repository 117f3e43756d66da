import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import type { BucketId } from '../../core/bucket/bucket-store.ts'
import type { LimitReceipt, Receipt } from '../../core/bucket/receipt.ts'
import {
  type CloseOutcome,
  type Closing,
  type ExtendOutcome,
  type Extension,
  KEPT_AFTER_EXPIRY_SECONDS,
  type ReservationStore,
  type ReservedPart,
  type StoredReservation,
} from '../../core/charge/reservation-store.ts'
import { type Cost, isMeter, LIMIT_METERS } from '../../core/model/meter.ts'
import { POLICY_SCOPES } from '../../core/model/policy.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import {
  createItemReader,
  type ItemReader,
  type PlainValue,
  type StoredItem,
  toIsoTime,
  toItem,
} from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { createFailedItemReader } from './conditional-items.ts'
import { isFailedCondition } from './store-error.ts'
import { idOf, reservationKey } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'
import { absent, conditionInput } from './table-writes.ts'

const OPEN = '#state = :open AND #owner = :owner AND #expires_at > :now'

/** Reservations in the table, one item each. One UpdateItem closes a reservation. */
export const createDynamoReservationStore = (client: DynamoClient, tableName: string): ReservationStore => {
  const failedItem = createFailedItemReader(createTableReads(client, tableName).get)
  const update = (input: UpdateItemCommandInput) =>
    client.run((sdk, { UpdateItemCommand }) => sdk.send(new UpdateItemCommand(input)))
  return {
    async put(reservation) {
      const input = {
        TableName: tableName,
        Item: reservationItem(reservation),
        ...conditionInput(absent),
      }
      await client.run((sdk, { PutItemCommand }) => sdk.send(new PutItemCommand(input)))
    },
    async close(closing) {
      try {
        const { Attributes = {} } = await update(closeInput(tableName, closing))
        return { outcome: 'closed', reservation: toReservation(Attributes) }
      } catch (error) {
        if (!isFailedCondition(error)) throw error
        return notClosed(await failedItem(error, reservationKey(closing.id)), closing)
      }
    },
    async extend(extension) {
      try {
        const { Attributes = {} } = await update(extendInput(tableName, extension))
        return stillOpen(Attributes)
      } catch (error) {
        if (!isFailedCondition(error)) throw error
        return notExtended(await failedItem(error, reservationKey(extension.id)), extension)
      }
    },
  }
}

const closeInput = (
  tableName: string,
  { id, ownerId, as, now, closedBy }: Closing,
): UpdateItemCommandInput => ({
  TableName: tableName,
  Key: toItem({ ...reservationKey(id) }),
  ConditionExpression: OPEN,
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

const extendInput = (
  tableName: string,
  { id, ownerId, now, expiresAt }: Extension,
): UpdateItemCommandInput => ({
  TableName: tableName,
  Key: toItem({ ...reservationKey(id) }),
  ConditionExpression: `${OPEN} AND #expires_at < :expires_at`,
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
  ReturnValues: 'ALL_NEW',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
})

/** A reservation that expires later than requested is still open. */
const notExtended = (item: StoredItem | undefined, { ownerId, now }: Extension): ExtendOutcome => {
  if (item === undefined) return { outcome: 'missing' }
  const read = createItemReader(item)
  if (read.text('owner') !== ownerId) return { outcome: 'missing' }
  const state = read.word('state', ['open', 'settled', 'released'])
  if (state !== 'open') return { outcome: 'ended', state }
  return read.time('expires_at') > now ? stillOpen(item) : { outcome: 'ended', state: 'expired' }
}

const stillOpen = (item: StoredItem): ExtendOutcome => {
  const { expiresAt, charges } = toReservation(item)
  return { outcome: 'open', expiresAt, charges }
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

type Fields = Readonly<Record<string, PlainValue>>

const KINDS = ['entity', 'policy'] as const

/** An open reservation in readable form: each bucket with the amounts charged to its limits. Times in calculations are ns. */
export const reservationItem = ({
  id,
  ownerId,
  charges,
  createdAt,
  expiresAt,
}: StoredReservation): StoredItem =>
  toItem({
    ...reservationKey(id),
    owner: ownerId,
    state: 'open',
    reserved: charges.reserved,
    buckets: charges.parts.map(partFields),
    created_at: toIsoTime(createdAt),
    expires_at: toIsoTime(expiresAt),
    ttl: ttlOf(expiresAt),
  })

/** Seconds since the epoch. */
const ttlOf = (expiresAt: bigint): bigint => expiresAt / SECOND_NS + KEPT_AFTER_EXPIRY_SECONDS

const partFields = ({ bucket, receipt }: ReservedPart): Fields => ({
  ...bucketFields(bucket),
  ...(receipt !== undefined && receiptFields(receipt)),
})

const bucketFields = (bucket: BucketId): Fields =>
  bucket.kind === 'entity'
    ? { kind: bucket.kind, entity_id: bucket.entityId, resource: bucket.resource }
    : { kind: bucket.kind, scope: bucket.scope, selector: bucket.selector }

const receiptFields = ({ generation: born, chargedAt, limits }: Receipt): Fields => ({
  ...(born !== undefined && { born }),
  charged_at: chargedAt,
  limits: limits.map(limitFields),
})

const limitFields = (receipt: LimitReceipt): Fields => ({
  name: receipt.limitName,
  meter: receipt.meter,
  limit: receipt.text,
  version: receipt.version,
  charged: receipt.charged,
  refund: receipt.full ? 'full' : 'strict',
  soft: receipt.soft,
  ...(receipt.headroom > 0 && { headroom: receipt.headroom }),
  ...(receipt.refundableUntil !== undefined && { refundable_until: receipt.refundableUntil }),
  memory: receipt.basis,
})

/** Throws an error that names the item if it is unreadable. */
export const toReservation = (item: StoredItem): StoredReservation => {
  const read = createItemReader(item)
  return {
    id: idOf(read.text('PK')),
    ownerId: read.text('owner'),
    charges: { reserved: toCost(read), parts: read.maps('buckets').map(toPart) },
    createdAt: read.time('created_at'),
    expiresAt: read.time('expires_at'),
  }
}

const toCost = (read: ItemReader): Cost =>
  Object.fromEntries(
    Object.entries(read.scalars('reserved')).map(([meter, amount]) => {
      if (!isMeter(meter) || typeof amount !== 'bigint') throw read.unreadable(`reserved.${meter}`)
      return [meter, Number(amount)]
    }),
  )

const toPart = (read: ItemReader): ReservedPart => {
  const bucket = toBucket(read)
  return read.has('limits') ? { bucket, receipt: toReceipt(read, bucket) } : { bucket }
}

const toBucket = (read: ItemReader): BucketId =>
  read.word('kind', KINDS) === 'entity'
    ? { kind: 'entity', entityId: read.text('entity_id'), resource: read.text('resource') }
    : { kind: 'policy', scope: read.word('scope', POLICY_SCOPES), selector: read.text('selector') }

const toReceipt = (read: ItemReader, bucket: BucketId): Receipt => ({
  bucket,
  generation: read.has('born') ? read.integer('born') : undefined,
  chargedAt: read.integer('charged_at'),
  limits: read.maps('limits').map(toLimitReceipt),
})

const toLimitReceipt = (read: ItemReader): LimitReceipt => ({
  limitName: read.text('name'),
  meter: read.word('meter', LIMIT_METERS),
  text: read.text('limit'),
  version: read.integer('version'),
  charged: Number(read.integer('charged')),
  full: read.word('refund', ['strict', 'full']) === 'full',
  soft: read.flag('soft'),
  headroom: read.has('headroom') ? Number(read.integer('headroom')) : 0,
  ...(read.has('refundable_until') && { refundableUntil: read.integer('refundable_until') }),
  basis: read.scalars('memory'),
})
