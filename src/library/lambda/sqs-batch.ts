import { errorMessage } from '../../core/model/errors.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { invalidArgument } from '../arguments.ts'
import type { RequestOutcome } from '../middleware/middleware.ts'
import type { ResponseFacts } from '../requests/costs.ts'
import { recordFacts } from './event-facts.ts'
import { at, textAt } from './event-fields.ts'
import type { Invocations } from './invocations.ts'
import { type BatchResponse, orderedIn, resultOf } from './per-record.ts'
import { type ChangeVisibility, createDelays, type DelayedMessage } from './visibility.ts'

/** A batch of messages that a limiter has decided about. */
export interface LimitedBatch {
  /** The messages to be handled, in the order of the batch. */
  readonly allowed: readonly unknown[]
  /** To be awaited before the function returns: adds the messages that were denied to those that the handler returned. Never throws. */
  end(result: unknown): Promise<BatchResponse>
  /** To be awaited if the handler has thrown: Lambda then returns the whole batch to the queue. Never throws. */
  fail(): Promise<void>
}

interface Message {
  readonly record: unknown
  readonly id: string
  /** Undefined: a function of the app has thrown, or an earlier message of its group goes back; nothing is charged. */
  readonly outcome: RequestOutcome | undefined
}

/** Decides about batches of messages. */
export const createBatches =
  (invocations: Invocations<unknown>, changeVisibility: ChangeVisibility) =>
  async (records: readonly unknown[]): Promise<LimitedBatch> => {
    const messages = await decideAll(invocations, records)
    const [allowed, denied] = [messages.filter(isAllowed), messages.filter((each) => !isAllowed(each))]
    await delay(denied, { changeVisibility, logger: invocations.logger })
    const finish = async (responseTo: (message: Message) => ResponseFacts): Promise<void> => {
      await Promise.all(allowed.map((message) => endOf(message, responseTo(message))))
      await invocations.flush()
    }
    return {
      allowed: allowed.map(({ record }) => record),
      async end(result) {
        const failures = failuresIn(result)
        const failed = new Set(failures.map((failure) => textAt(failure, 'itemIdentifier')))
        await finish(({ record, id }) => responseFacts(failed.has(id) ? 500 : 200, resultOf(record)))
        return { batchItemFailures: [...failures, ...denied.map(({ id }) => ({ itemIdentifier: id }))] }
      },
      fail: () => finish(() => responseFacts(500, undefined)),
    }
  }

const isAllowed = ({ outcome }: Message): boolean =>
  outcome !== undefined && outcome.earlyResponse === undefined

const endOf = async ({ outcome }: Message, response: ResponseFacts): Promise<void> => {
  await outcome?.finish?.(response)
  await outcome?.end?.()
}

const responseFacts = (status: number, result: unknown): ResponseFacts => ({
  status,
  header: () => undefined,
  json: async () => result,
})

type Failure = BatchResponse['batchItemFailures'][number]

/** As the handler returned them: Lambda returns the whole batch to the queue for one that is invalid. */
const failuresIn = (result: unknown): readonly Failure[] => {
  const failures = at(result, 'batchItemFailures')
  return Array.isArray(failures) ? failures : []
}

/** Concurrent decisions: those about one key share a write, and a batch may have 10,000 messages. */
const AT_ONCE = 40

/**
 * In the order of the batch. A message for which a function of the app throws goes back alone: whoever can send a message that cannot be
 * read must not hold up those of others. Rejects with such an error if no message could be decided about, and with a `TypeError` for a
 * record that is no message.
 */
const decideAll = async (
  { logger, check }: Invocations<unknown>,
  records: readonly unknown[],
): Promise<readonly Message[]> => {
  const ids = records.map(idOf)
  const decided: Message[] = []
  const errors: unknown[] = []
  const outcomeOf = async (record: unknown, id: string): Promise<RequestOutcome | undefined> => {
    try {
      return await check(recordFacts(record, logger))
    } catch (error) {
      errors.push(error)
      logger.error('message failed', { messageId: id, reason: errorMessage(error) })
      return undefined
    }
  }
  const decide = async (index: number, isHeldBack: boolean): Promise<boolean> => {
    const [record, id = ''] = [records[index], ids[index]]
    const outcome = isHeldBack ? undefined : await outcomeOf(record, id)
    const message = { record, id, outcome }
    decided[index] = message
    return isAllowed(message)
  }
  const queues = orderedIn(records).values()
  const decideNext = async (): Promise<void> => {
    for (const indices of queues) {
      let isHeldBack = false
      for (const index of indices) isHeldBack = !(await decide(index, isHeldBack))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, decideNext))
  if (errors.length > 0 && decided.every(({ outcome }) => outcome === undefined)) throw errors[0]
  return decided
}

const idOf = (record: unknown, index: number): string => {
  const id = textAt(record, 'messageId')
  if (id === undefined) throw invalidArgument(`Records[${index}].messageId`, 'be a text')
  return id
}

interface Delaying {
  readonly changeVisibility: ChangeVisibility
  readonly logger: Logger
}

/** Hides denied messages until they can pass. If that fails, the queue's own timeout applies. Never throws. */
const delay = async (denied: readonly Message[], { changeVisibility, logger }: Delaying): Promise<void> => {
  const byQueue = new Map<string, DelayedMessage[]>()
  const secondsOf = delaysOf(denied)
  for (const [index, { record }] of denied.entries()) {
    const seconds = secondsOf[index]
    const [queue, receiptHandle] = [textAt(record, 'eventSourceARN'), textAt(record, 'receiptHandle')]
    if (seconds === undefined || queue === undefined || receiptHandle === undefined) continue
    const delayed = byQueue.get(queue) ?? []
    byQueue.set(queue, delayed)
    delayed.push({ receiptHandle, seconds })
  }
  for (const [queue, messages] of byQueue) {
    try {
      await changeVisibility(queue, messages)
    } catch (error) {
      logger.warn('visibility not changed', { queue, messages: messages.length, reason: errorMessage(error) })
    }
  }
}

/** Messages of a group that are held back wait as long as the one that was denied, so that they return together. */
const delaysOf = (denied: readonly Message[]): readonly (number | undefined)[] => {
  const delayOf = createDelays()
  const seconds: (number | undefined)[] = []
  for (const indices of orderedIn(denied.map(({ record }) => record))) {
    const [first] = indices
    const outcome = first === undefined ? undefined : denied[first]?.outcome
    const own = delayOf(outcome?.limitHeaders?.decision)
    for (const index of indices) seconds[index] = own
  }
  return seconds
}
