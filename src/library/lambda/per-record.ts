import { errorMessage } from '../../core/model/errors.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { invalidArgument } from '../arguments.ts'
import { textAt } from './event-fields.ts'

/** What a function returns to an event source mapping with `ReportBatchItemFailures`: the messages that go back to the queue. */
export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

/** A message of a queue, as far as it is the same in every event. */
export interface SqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: object
  readonly messageAttributes: object
  readonly eventSource: string
  readonly eventSourceARN: string
}

/** An event of a queue. */
export interface SqsEvent<Message = SqsRecord> {
  readonly Records: Message[]
}

/** What a handler returned for a message, from which its actual cost is settled. */
const results = new WeakMap<object, unknown>()

/** Undefined for a message that was not handled by itself. */
export const resultOf = (record: unknown): unknown =>
  typeof record === 'object' && record !== null ? results.get(record) : undefined

/**
 * A handler of a batch from a handler of one message. A message whose handler throws goes back to the queue, and is logged; the others are
 * handled. In a FIFO queue the messages of a group are handled one after the other, and from the first failure on, all of the group go back.
 *
 * @example
 * export const handler = withRateLimit({ store, limits }, perRecord(async (record) => send(JSON.parse(record.body))))
 */
export const perRecord = <Message extends SqsRecord = SqsRecord, Context = unknown>(
  handle: (record: Message, context: Context) => unknown,
  { logger = createConsoleLogger('info') }: { readonly logger?: Logger } = {},
): ((event: SqsEvent<Message>, context: Context) => Promise<BatchResponse>) => {
  if (typeof handle !== 'function') throw invalidArgument('perRecord()', 'get a function of a message')
  return async ({ Records: records }, context) => {
    const failed = new Set<number>()
    const handleOne = async (record: Message): Promise<boolean> => {
      try {
        results.set(record, await handle(record, context))
        return true
      } catch (error) {
        logger.error('message failed', { messageId: record.messageId, reason: errorMessage(error) })
        return false
      }
    }
    const handleInOrder = async (indices: readonly number[]): Promise<void> => {
      let hasFailed = false
      for (const index of indices) {
        const record = records[index]
        hasFailed = hasFailed || record === undefined || !(await handleOne(record))
        if (hasFailed) failed.add(index)
      }
    }
    await Promise.all(orderedIn(records).map(handleInOrder))
    const failures = records.filter((_, index) => failed.has(index))
    return { batchItemFailures: failures.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }
}

/** The indices of the records that must be handled in order: those of a message group of a FIFO queue. All others are alone. */
export const orderedIn = (records: readonly unknown[]): readonly (readonly number[])[] => {
  const groups = new Map<string, number[]>()
  for (const [index, record] of records.entries()) {
    // a queue that is not FIFO may have groups as well, which have no order
    const isFifo = textAt(record, 'eventSourceARN')?.endsWith('.fifo') === true
    const group = isFifo ? `group ${textAt(record, 'attributes', 'MessageGroupId')}` : `record ${index}`
    groups.set(group, [...(groups.get(group) ?? []), index])
  }
  return [...groups.values()]
}
