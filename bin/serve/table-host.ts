import type { Deliver } from '../feed/deliver-in-order.ts'

/** Where the DynamoDB is that holds the table. */
export interface TableAddress {
  readonly endpoint: string
  readonly region: string
  /** Undefined: those of the environment. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** How many workers ask it; one unless told. */
  readonly workers?: number
}

/** The DynamoDB that holds the table: one of its own in this process, or one somewhere else. */
export interface TableHost extends TableAddress {
  /** Whether the engine has streams, so that the table is made with one. */
  readonly hasStreams: boolean
  /** Begins to hand the table's writes to the aggregator; the table must be there. */
  feed(deliver: Deliver): Promise<Feed>
  /** Closes the engine, if it is its own. */
  stop(): Promise<void>
}

export interface Feed {
  /** Resolves when the writes answered so far have been delivered. */
  stop(): Promise<void>
}
