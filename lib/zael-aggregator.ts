import { Duration, Validations } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  type Function as LambdaFunction,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda'
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { ALERT_SETTINGS, type AlertAccess, alertEnvironment, grantAlerts } from './alert-access.ts'
import { AGGREGATOR_SOURCE, STREAM_BATCHES } from './bundle-lambda.ts'
import { checkEnvironment, type Flavour } from './construct-props.ts'
import type { AwsService } from './lambda-network.ts'
import type { LambdaOptions } from './lambda-options.ts'
import { grantKey, LISTING_INDEX, type TableRef } from './table-access.ts'
import { ZaelFunction } from './zael-function.ts'

export interface ZaelAggregatorProps extends AlertAccess, LambdaOptions {
  readonly table: TableRef
  /** The table's stream, with new and old images. */
  readonly streamArn: string
  /** Default `aws`: waits up to 5 s for a fuller batch, as one batch writes each bucket's hour once. */
  readonly flavour?: Flavour
  /** Further settings of zael, such as LOG_LEVEL; mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * The records that invoke the aggregator: changes of buckets. Usage is counted from those of entities, alerts observe policies'
 * too. Its own items, configuration and deleted buckets do not concern it.
 */
const BUCKET_CHANGES = [
  { PK: FilterRule.beginsWith('ENTITY#'), SK: FilterRule.beginsWith('BUCKET#') },
  { PK: FilterRule.beginsWith('POLICY#'), SK: FilterRule.isEqual('BUCKET') },
].map(({ PK, SK }) =>
  FilterCriteria.filter({
    eventName: FilterRule.or('INSERT', 'MODIFY'),
    dynamodb: { Keys: { PK: { S: PK }, SK: { S: SK } } },
  }),
)

/** Hours of usage are updated; alerts are read, with the meters of limits, and their events put and updated. */
const TABLE_ACTIONS = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']

const hasReceivers = (props: ZaelAggregatorProps): boolean => {
  const { alertTopics = [], alertSecrets = [], plainTextAlertSecrets, environment } = props
  const variables = Object.keys({ ...plainTextAlertSecrets, ...environment })
  return (
    alertTopics.length + alertSecrets.length > 0 || variables.some((name) => name.startsWith('ALERT_SECRET_'))
  )
}

const servicesOf = ({ alertTopics = [], alertSecrets = [] }: ZaelAggregatorProps): readonly AwsService[] => [
  'dynamodb',
  ...(alertTopics.length > 0 ? (['sns'] as const) : []),
  ...(alertSecrets.length > 0 ? (['secretsmanager'] as const) : []),
]

/** Attempts to deliver alerts that are due while no batch arrives. */
const ATTEMPTS_EVERY = Duration.minutes(1)

/**
 * Turns the table's stream into use per hour, and sends alerts. The dead-letter queue names records that could not be
 * processed.
 */
export class ZaelAggregator extends Construct {
  readonly fn: LambdaFunction
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: ZaelAggregatorProps) {
    super(scope, id)
    checkEnvironment(props.environment, [ALERT_SETTINGS])
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue: of the event source mapping, which the rule does not see.',
    })
    const zaelFunction = new ZaelFunction(this, 'Handler', {
      description: 'zael: counts use per hour from the stream of the table, and sends alerts',
      source: AGGREGATOR_SOURCE,
      timeout: Duration.minutes(1),
      defaultMemoryMb: 256,
      services: servicesOf(props),
      options: props,
      environment: {
        ...props.environment,
        ...alertEnvironment(props),
        TABLE_NAME: props.table.tableName,
        POWERTOOLS_SERVICE_NAME: 'zael-aggregator',
      },
    })
    this.fn = zaelFunction.fn
    this.allow(zaelFunction, props)
    this.readStream(props)
    if (hasReceivers(props)) this.scheduleAttempts()
  }

  private allow(zaelFunction: ZaelFunction, props: ZaelAggregatorProps): void {
    const { table, streamArn } = props
    zaelFunction.allow(TABLE_ACTIONS, [table.tableArn])
    zaelFunction.allow(['dynamodb:Query'], [`${table.tableArn}/index/${LISTING_INDEX}`])
    grantAlerts(zaelFunction, props)
    zaelFunction.allow(
      ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      [streamArn],
    )
    zaelFunction.allow(['dynamodb:ListStreams'], ['*'])
    grantKey(table.encryptionKey, zaelFunction.fn)
    Validations.of(zaelFunction).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Lambda lists streams to find this one, and dynamodb:ListStreams knows no narrower resource.',
    })
  }

  private scheduleAttempts(): void {
    new Rule(this, 'AlertAttempts', {
      description: 'zael: attempts to deliver alerts',
      schedule: Schedule.rate(ATTEMPTS_EVERY),
      targets: [new LambdaTarget(this.fn)],
    })
  }

  private readStream(props: ZaelAggregatorProps): void {
    new EventSourceMapping(this, 'Stream', {
      target: this.fn,
      eventSourceArn: props.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: BUCKET_CHANGES,
      batchSize: STREAM_BATCHES.size,
      maxBatchingWindow: Duration.seconds(props.flavour === 'local' ? 0 : STREAM_BATCHES.windowSeconds),
      // A record that fails is isolated by halving, tried ten times in all, and then named in the queue: later records must
      // not wait until the stream drops it, after 24 hours.
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 10,
      maxRecordAge: Duration.hours(12),
      onFailure: new SqsDlq(this.deadLetters),
    })
  }
}
