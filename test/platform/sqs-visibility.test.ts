import { ChangeMessageVisibilityBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, expect, test } from 'vitest'
import { changeVisibility } from '../../src/platform/sqs-visibility.ts'

const sqs = mockClient(SQSClient)

afterEach(() => sqs.reset())

const QUEUE = 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo'

const messages = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ receiptHandle: `handle-${index}`, seconds: index + 1 }))

const inputs = () =>
  sqs.commandCalls(ChangeMessageVisibilityBatchCommand).map(({ args: [{ input }] }) => input)

test('changes the messages of a queue in its region, ten in a call', async () => {
  sqs.on(ChangeMessageVisibilityBatchCommand).resolves({ Successful: [], Failed: [] })
  await changeVisibility(QUEUE, messages(21))
  expect(inputs().map(({ Entries = [] }) => Entries.length)).toEqual([10, 10, 1])
  expect(inputs()[1]?.QueueUrl).toBe('https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo')
  expect(inputs()[1]?.Entries?.[1]).toEqual({ Id: '1', ReceiptHandle: 'handle-11', VisibilityTimeout: 12 })
  const [call] = sqs.commandCalls(ChangeMessageVisibilityBatchCommand)
  expect(await call?.thisValue.config.region()).toBe('eu-central-1')
})

test.each([
  ['arn:aws-cn:sqs:cn-north-1:123456789012:q', 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q'],
  [
    'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:q',
    'https://sqs.us-gov-west-1.amazonaws.com/123456789012/q',
  ],
])('finds the queue of %s', async (arn, url) => {
  sqs.on(ChangeMessageVisibilityBatchCommand).resolves({ Successful: [], Failed: [] })
  await changeVisibility(arn, messages(1))
  expect(inputs()[0]?.QueueUrl).toBe(url)
})

test('fails with the number of messages that SQS did not accept, and a reason', async () => {
  const Failed = [{ Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'expired' }]
  sqs.on(ChangeMessageVisibilityBatchCommand).resolves({ Successful: [], Failed })
  await expect(changeVisibility(QUEUE, messages(3))).rejects.toThrow(
    '1 of 3 messages: ReceiptHandleIsInvalid: expired',
  )
})

test.each([
  '',
  'orders',
  'arn:aws:sns:eu-central-1:123456789012:orders',
  'arn:aws:sqs:x/../y:123456789012:q',
])('calls nothing for %j, which is no queue', async (arn) => {
  await expect(changeVisibility(arn, messages(1))).rejects.toThrow(/is not the ARN of a queue$/)
  expect(inputs()).toEqual([])
})
