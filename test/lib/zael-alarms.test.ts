import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { expect, test } from 'vitest'
import { ZaelStack } from '../../lib/zael-stack.ts'
import { createApp, synthesize } from './synthesize.ts'

const ALARM = 'AWS::CloudWatch::Alarm'

test('there is an alarm for failures, throttling, lag and dropped records', () => {
  const alarms = Object.values(synthesize('aws').findResources(ALARM))
  const watched = alarms.map(({ Properties: { Namespace, MetricName } }) => `${Namespace} ${MetricName}`)
  expect(watched.toSorted()).toEqual([
    'AWS/ApiGateway 5XXError',
    'AWS/DynamoDB ReadThrottleEvents',
    'AWS/DynamoDB WriteThrottleEvents',
    'AWS/Lambda Errors',
    'AWS/Lambda Errors',
    'AWS/Lambda IteratorAge',
    'AWS/Lambda Throttles',
    'AWS/SQS ApproximateNumberOfMessagesVisible',
  ])
  for (const { Properties } of alarms) {
    expect(Properties.TreatMissingData).toBe('notBreaching')
    expect(Properties.Dimensions.length).toBeGreaterThan(0)
  }
})

test('every alarm notifies the given topic', () => {
  const app = createApp()
  const alarmTopic = new Topic(new Stack(app, 'Mine'), 'Topic')
  const template = Template.fromStack(new ZaelStack(app, 'Zael-demo', { name: 'demo', alarmTopic }))
  for (const { Properties } of Object.values(template.findResources(ALARM))) {
    expect(Properties.AlarmActions).toHaveLength(1)
    expect(Properties.OKActions).toHaveLength(1)
  }
})
