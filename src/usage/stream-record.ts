/** An attribute as DynamoDB writes it; only the two shapes that buckets' counters use are named. */
export interface StreamAttribute {
  readonly S?: string | undefined
  readonly N?: string | undefined
}

export type StreamImage = Readonly<Record<string, StreamAttribute>>

/**
 * The part of a DynamoDB stream record that the aggregator reads. Lambda's events, the streams API's answers and the
 * embedded feed all fit it: the first gives the time as seconds since the epoch, the second as a Date.
 */
export interface StreamRecord {
  readonly dynamodb?:
    | {
        readonly Keys?: StreamImage | undefined
        readonly OldImage?: StreamImage | undefined
        readonly NewImage?: StreamImage | undefined
        /** Absent never in practice; an empty one is reported as a failure of the whole batch. */
        readonly SequenceNumber?: string | undefined
        readonly ApproximateCreationDateTime?: number | Date | undefined
      }
    | undefined
}

/** A batch as a Lambda gets it. */
export interface StreamEvent {
  readonly Records: readonly StreamRecord[]
}

/** Which records failed: a stream is read again from the first of them. */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}
