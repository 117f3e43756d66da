import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { regionOfTopic } from '../core/model/alert.ts'
import { type AlertMessage, DeliveryFailed } from '../core/ports/alert-store.ts'

/** Imported with the first message to a topic: most processes send none. */
const clients = new Map<string, SNSClient>()

const ATTEMPT_MS = 10_000

/** Each attempt is one call: later ones are the aggregator's. */
const clientIn = (region: string): SNSClient => {
  const client = clients.get(region) ?? new SNSClient({ region, maxAttempts: 1 })
  clients.set(region, client)
  return client
}

/** Publishes a message once, with the AWS credentials of the process. Rejects with `DeliveryFailed`. */
export const publish = async (topicArn: string, message: AlertMessage): Promise<void> => {
  const region = regionOfTopic(topicArn)
  if (region === undefined) throw new DeliveryFailed('the ARN of the topic is not valid')
  const command = new PublishCommand({
    TopicArn: topicArn,
    Subject: message.subject,
    Message: message.body,
    MessageAttributes: { id: { DataType: 'String', StringValue: message.id } },
  })
  try {
    await clientIn(region).send(command, { abortSignal: AbortSignal.timeout(ATTEMPT_MS) })
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'no response'
    throw new DeliveryFailed(`SNS did not accept the message (${name})`, { cause })
  }
}
