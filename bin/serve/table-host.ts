import type { TableAddress } from '../../src/compose/connect.ts'
import type { Deliver } from './delivery.ts'

/** The DynamoDB of the table: the embedded one, or another. */
export interface TableHost extends TableAddress {
  /** Whether the engine belongs to this process: it has no streams, and a table that is new in it is known to no one else. */
  readonly isOwn: boolean
  /** Starts to deliver the table's writes to the aggregator; the table must exist. */
  feed(deliver: Deliver): Promise<Feed>
  /** Closes the embedded engine. */
  stop(): Promise<void>
}

export interface Feed {
  /** Resolves when all completed writes have been delivered. */
  stop(): Promise<void>
}
