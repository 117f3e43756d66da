import { Duration, Validations } from 'aws-cdk-lib'
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
import { AGGREGATOR_SOURCE, STREAM_BATCHES } from './bundle-lambda.ts'
import { checkEnvironment, type Flavour, grantKey, type TableRef } from './construct-props.ts'
import { ZaelFunction } from './zael-function.ts'

export interface ZaelAggregatorProps {
  readonly table: TableRef
  /** The table's stream, with new and old images. */
  readonly streamArn: string
  /** Default `aws`: waits up to 5 s for a fuller batch, as one batch writes each bucket's hour once. */
  readonly flavour?: Flavour
  /** Default 256. */
  readonly memoryMb?: number
  /** Further settings of zael, such as LOG_LEVEL; mistakes are errors at synthesis. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * The records that invoke the aggregator: changes of entities' buckets. Its own USAGE# items, policies' buckets, configuration
 * and deleted buckets do not concern it.
 */
const BUCKET_CHANGES = FilterCriteria.filter({
  eventName: FilterRule.or('INSERT', 'MODIFY'),
  dynamodb: {
    Keys: { PK: { S: FilterRule.beginsWith('ENTITY#') }, SK: { S: FilterRule.beginsWith('BUCKET#') } },
  },
})

/** Turns the table's stream into use per hour. The dead-letter queue names records that could not be processed. */
export class ZaelAggregator extends Construct {
  readonly fn: LambdaFunction
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, props: ZaelAggregatorProps) {
    super(scope, id)
    checkEnvironment(props.environment)
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
      description: 'zael: counts use per hour from the stream of the table',
      source: AGGREGATOR_SOURCE,
      timeout: Duration.minutes(1),
      memoryMb: props.memoryMb ?? 256,
      environment: {
        ...props.environment,
        TABLE_NAME: props.table.tableName,
        POWERTOOLS_SERVICE_NAME: 'zael-aggregator',
      },
    })
    this.fn = zaelFunction.fn
    this.allow(zaelFunction, props)
    this.readStream(props)
  }

  private allow(zaelFunction: ZaelFunction, { table, streamArn }: ZaelAggregatorProps): void {
    zaelFunction.allow(['dynamodb:UpdateItem'], [table.tableArn])
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

  private readStream(props: ZaelAggregatorProps): void {
    new EventSourceMapping(this, 'Stream', {
      target: this.fn,
      eventSourceArn: props.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [BUCKET_CHANGES],
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
