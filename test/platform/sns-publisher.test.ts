import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, expect, test } from 'vitest'
import { publish } from '../../src/platform/sns-publisher.ts'
import { TOPIC } from '../store/store-fixtures.ts'

const sns = mockClient(SNSClient)

afterEach(() => sns.reset())

const MESSAGE = { id: 'alert_1', subject: 'zael: team-a at 80 % of usd_month', body: '{"text":"80 %"}' }

test('publishes the message in the region of the topic, with its id', async () => {
  sns.on(PublishCommand).resolves({})
  await publish(TOPIC, MESSAGE)
  const [call] = sns.commandCalls(PublishCommand)
  expect(call?.args[0].input).toEqual({
    TopicArn: TOPIC,
    Subject: MESSAGE.subject,
    Message: MESSAGE.body,
    MessageAttributes: { id: { DataType: 'String', StringValue: 'alert_1' } },
  })
  expect(await call?.thisValue.config.region()).toBe('eu-central-1')
})

test('fails with the name of the error of AWS, and not with its text', async () => {
  const error = Object.assign(new Error('User: arn:aws:sts::1:assumed-role/x is not authorized'), {
    name: 'AuthorizationErrorException',
  })
  sns.on(PublishCommand).rejects(error)
  await expect(publish(TOPIC, MESSAGE)).rejects.toMatchObject({
    name: 'DeliveryFailed',
    message: 'SNS did not accept the message (AuthorizationErrorException)',
  })
  expect(sns.commandCalls(PublishCommand)).toHaveLength(1)
})
