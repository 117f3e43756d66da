import type {
  DeleteItemCommandInput,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { SECOND_NS } from '../../core/model/time.ts'
import type {
  Attempt,
  Beginning,
  BeginOutcome,
  FindOutcome,
  IdempotencyStore,
  KeptResponse,
} from '../../core/ports/idempotency-store.ts'
import {
  createItemReader,
  fromAttribute,
  type PlainValue,
  type StoredItem,
  toIsoTime,
  toItem,
} from './attributes.ts'
import type { DynamoClient } from './client.ts'
import { createFailedItemReader } from './conditional-items.ts'
import { conditionHolds, isFailedCondition } from './store-error.ts'
import { idempotencyKey, type TableKey } from './table-keys.ts'
import { createTableReads } from './table-reads.ts'

type OwnAttempt = Pick<Attempt, 'key' | 'attemptId'>

const FREE = 'attribute_not_exists(#pk) OR #expires_at <= :now'

const OVERDUE = '#state = :pending AND #body = :body AND (#pending_until <= :now OR #attempt = :attempt)'

/** Responses of idempotency keys in the table, one item for each key of a caller. */
export const createDynamoIdempotencyStore = (client: DynamoClient, tableName: string): IdempotencyStore => {
  const reads = createTableReads(client, tableName)
  const failedItem = createFailedItemReader(reads.get)
  const put = (input: PutItemCommandInput) =>
    client.run((sdk, { PutItemCommand }) => sdk.send(new PutItemCommand(input)))
  const update = (input: UpdateItemCommandInput) =>
    client.run((sdk, { UpdateItemCommand }) => sdk.send(new UpdateItemCommand(input)))
  const remove = (input: DeleteItemCommandInput) =>
    client.run((sdk, { DeleteItemCommand }) => sdk.send(new DeleteItemCommand(input)))
  return {
    async begin(beginning) {
      try {
        await put(beginInput(tableName, beginning))
        return { outcome: 'begun' }
      } catch (error) {
        if (!isFailedCondition(error)) throw error
        return outcomeOf(await failedItem(error, keyOf(beginning)), beginning)
      }
    },
    async find({ key, bodyHash, now }) {
      const item = await reads.get(keyOf({ key }))
      return item === undefined || isReplaceable(item, bodyHash, now)
        ? { outcome: 'free' }
        : outcomeOfExisting(item, bodyHash)
    },
    async finish(own, response) {
      const isOwn = await conditionHolds(update(finishInput(tableName, own, response)))
      return isOwn ? 'kept' : 'lost'
    },
    async abandon(own) {
      await conditionHolds(remove(abandonInput(tableName, own)))
    },
  }
}

const keyOf = ({ key }: Pick<Attempt, 'key'>): TableKey => idempotencyKey(key.callerId, key.keyHash)

const beginInput = (tableName: string, beginning: Beginning): PutItemCommandInput => ({
  TableName: tableName,
  Item: pendingItem(beginning),
  ConditionExpression: `${FREE} OR (${OVERDUE})`,
  ExpressionAttributeNames: {
    '#pk': 'PK',
    '#expires_at': 'expires_at',
    '#state': 'state',
    '#body': 'body_sha256',
    '#pending_until': 'pending_until',
    '#attempt': 'attempt',
  },
  ExpressionAttributeValues: toItem({
    ':now': toIsoTime(beginning.now),
    ':pending': 'pending',
    ':body': beginning.bodyHash,
    ':attempt': beginning.attemptId,
  }),
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
})

const finishInput = (tableName: string, own: OwnAttempt, response: KeptResponse): UpdateItemCommandInput => ({
  TableName: tableName,
  Key: toItem({ ...keyOf(own) }),
  ConditionExpression: '#attempt = :attempt',
  UpdateExpression: 'SET #state = :finished, #response = :response REMOVE #pending_until',
  ExpressionAttributeNames: {
    '#attempt': 'attempt',
    '#state': 'state',
    '#response': 'answer',
    '#pending_until': 'pending_until',
  },
  ExpressionAttributeValues: toItem({
    ':attempt': own.attemptId,
    ':finished': 'answered',
    ':response': responseFields(response),
  }),
})

const abandonInput = (tableName: string, own: OwnAttempt): DeleteItemCommandInput => ({
  TableName: tableName,
  Key: toItem({ ...keyOf(own) }),
  ConditionExpression: '#attempt = :attempt AND #state = :pending',
  ExpressionAttributeNames: { '#attempt': 'attempt', '#state': 'state' },
  ExpressionAttributeValues: toItem({ ':attempt': own.attemptId, ':pending': 'pending' }),
})

/** If the record was removed after the failed write, a repeated request finds the key free. */
const outcomeOf = (item: StoredItem | undefined, { bodyHash }: Beginning): BeginOutcome =>
  item === undefined ? { outcome: 'pending' } : outcomeOfExisting(item, bodyHash)

/** Whether `begin` would replace the record: the rule of its condition. */
const isReplaceable = (item: StoredItem, bodyHash: string, now: bigint): boolean => {
  const { expiresAt, pendingUntil, bodyHash: remembered } = rememberedIn(item)
  return expiresAt <= now || (pendingUntil !== null && pendingUntil <= now && remembered === bodyHash)
}

const outcomeOfExisting = (
  item: StoredItem,
  bodyHash: string,
): Exclude<FindOutcome, { readonly outcome: 'free' }> => {
  const { bodyHash: remembered, response } = rememberedIn(item)
  if (remembered !== bodyHash) return { outcome: 'other_body' }
  return response === null ? { outcome: 'pending' } : { outcome: 'finished', response }
}

const pendingItem = ({ key, bodyHash, attemptId, ...times }: Beginning): StoredItem =>
  toItem({
    ...idempotencyKey(key.callerId, key.keyHash),
    state: 'pending',
    body_sha256: bodyHash,
    attempt: attemptId,
    created_at: toIsoTime(times.now),
    pending_until: toIsoTime(times.pendingUntil),
    expires_at: toIsoTime(times.expiresAt),
    ttl: times.expiresAt / SECOND_NS,
  })

const responseFields = ({ status, headers, body }: KeptResponse): PlainValue => ({
  status,
  headers,
  body,
})

/** The content of a record; `response` is null while it is pending. Throws an error that names the item if it is unreadable. */
const rememberedIn = (
  item: StoredItem,
): {
  readonly bodyHash: string
  readonly response: KeptResponse | null
  /** ns since the epoch; `pendingUntil` is null once there is a response. */
  readonly expiresAt: bigint
  readonly pendingUntil: bigint | null
} => {
  const read = createItemReader(item)
  const response = read.mapOrNull('answer')
  return {
    bodyHash: read.text('body_sha256'),
    expiresAt: read.time('expires_at'),
    pendingUntil: read.timeOrNull('pending_until'),
    response: response && {
      status: response.number('status'),
      headers: response.textMap('headers'),
      body: fromAttribute(item.answer?.M?.body) ?? null,
    },
  }
}
