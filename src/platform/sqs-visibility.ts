import type { SQSClient } from '@aws-sdk/client-sqs'
import { errorMessage } from '../core/model/errors.ts'

/** A message that is to be delivered again after a time. */
export interface DelayedMessage {
  readonly receiptHandle: string
  /** Whole seconds from now. */
  readonly seconds: number
}

/** As SQS defines it. */
const MAX_ENTRIES = 10

/** The function's messages wait for it. */
const CALL_MS = 3_000

/**
 * Loaded with the first message that is delayed: most batches have none, and most apps no queue. `catch` lets bundlers build an app that has
 * not installed it.
 */
const loadSdk = () =>
  import('@aws-sdk/client-sqs').catch((error: unknown) => {
    throw new Error(`@aws-sdk/client-sqs cannot be loaded: ${errorMessage(error)}`)
  })

const clients = new Map<string, SQSClient>()

const clientIn = async (region: string): Promise<SQSClient> => {
  const { SQSClient } = await loadSdk()
  const client = clients.get(region) ?? new SQSClient({ region, maxAttempts: 2 })
  clients.set(region, client)
  return client
}

/**
 * Changes when messages become visible, with the AWS credentials of the process. Rejects if SQS did not accept all of them, or the ARN is
 * not one of a queue.
 */
export const changeVisibility = async (
  queueArn: string,
  messages: readonly DelayedMessage[],
): Promise<void> => {
  const { region, url } = queueOf(queueArn)
  const client = await clientIn(region)
  const calls: Promise<readonly string[]>[] = []
  for (let from = 0; from < messages.length; from += MAX_ENTRIES)
    calls.push(changeSome(client, url, messages.slice(from, from + MAX_ENTRIES)))
  const failed = (await Promise.all(calls)).flat()
  const [first] = failed
  if (first !== undefined) throw new Error(`${failed.length} of ${messages.length} messages: ${first}`)
}

/** Returns the reason of each message that SQS did not accept. */
const changeSome = async (
  client: SQSClient,
  url: string,
  messages: readonly DelayedMessage[],
): Promise<readonly string[]> => {
  const { ChangeMessageVisibilityBatchCommand } = await loadSdk()
  const command = new ChangeMessageVisibilityBatchCommand({
    QueueUrl: url,
    Entries: messages.map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    })),
  })
  const { Failed = [] } = await client.send(command, { abortSignal: AbortSignal.timeout(CALL_MS) })
  return Failed.map(({ Code, Message }) => `${Code}: ${Message}`)
}

/** `arn:aws:sqs:eu-central-1:123456789012:orders` */
const QUEUE_ARN = /^arn:(aws[\w-]*):sqs:([a-z0-9-]+):(\d{12}):([\w-]+(?:\.fifo)?)$/

const queueOf = (queueArn: string): { readonly region: string; readonly url: string } => {
  const [, partition, region, account, name] = QUEUE_ARN.exec(queueArn) ?? []
  if (region === undefined) throw new Error(`${queueArn} is not the ARN of a queue`)
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
  return { region, url: `https://sqs.${region}.${suffix}/${account}/${name}` }
}
