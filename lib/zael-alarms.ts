import { Duration } from 'aws-cdk-lib'
import type { RestApi } from 'aws-cdk-lib/aws-apigateway'
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { TableRef } from './table-access.ts'

export interface ZaelAlarmsProps {
  readonly api: { readonly api: RestApi; readonly fn: IFunction }
  readonly aggregator: { readonly fn: IFunction; readonly deadLetters: IQueue }
  readonly table: TableRef
  /** Receives a message when an alarm starts and ends. Default: none; CloudWatch shows alarms. */
  readonly topic?: ITopic
}

const PERIOD = Duration.minutes(5)
/** With this delay, usage is visibly late; the stream drops records after 24 hours. */
const LATE_MS = Duration.minutes(10).toMilliseconds()

/** Alarms for errors, throttling, and an aggregator that is late or drops a record. */
export class ZaelAlarms extends Construct {
  readonly alarms: readonly Alarm[]

  constructor(scope: Construct, id: string, props: ZaelAlarmsProps) {
    super(scope, id)
    const { api, aggregator, table } = props
    const sum = { period: PERIOD, statistic: 'Sum' }
    const most = { period: PERIOD, statistic: 'Maximum' }
    const event = (metricName: string) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: table.tableName },
        ...sum,
      })
    this.alarms = [
      this.alarm('ApiErrors', 'The API Lambda fails or times out', api.fn.metricErrors(sum), 1),
      this.alarm('ApiThrottles', 'Lambda throttles the API', api.fn.metricThrottles(sum), 1),
      this.alarm('Api5xx', 'The API responds with 5xx', api.api.deploymentStage.metricServerError(sum), 5),
      this.alarm('AggregatorErrors', 'The aggregator fails', aggregator.fn.metricErrors(sum), 1),
      this.alarm('AggregatorLate', 'Usage is late', aggregator.fn.metric('IteratorAge', most), LATE_MS),
      this.alarm(
        'DeadLetters',
        'Records of the stream were given up: redrive them within 24 hours',
        aggregator.deadLetters.metricApproximateNumberOfMessagesVisible(most),
        1,
      ),
      this.alarm('TableReadsThrottled', 'DynamoDB throttles reads', event('ReadThrottleEvents'), 1),
      this.alarm(
        'TableWritesThrottled',
        'DynamoDB throttles writes: a hot bucket',
        event('WriteThrottleEvents'),
        10,
      ),
    ]
    if (props.topic !== undefined) this.tell(props.topic)
  }

  private alarm(id: string, alarmDescription: string, metric: IMetric, threshold: number): Alarm {
    return new Alarm(this, id, {
      alarmDescription,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
  }

  private tell(topic: ITopic): void {
    for (const alarm of this.alarms) {
      alarm.addAlarmAction(new SnsAction(topic))
      alarm.addOkAction(new SnsAction(topic))
    }
  }
}
