import type { DynamoClient } from '../client.ts'
import { writeOneByOne } from './one-by-one.ts'
import type { TableWrite } from './table-write.ts'
import { transact } from './transaction.ts'

/** Changes of several items. */
export interface TableWrites {
  /**
   * Applies all writes or none: undefined where they were applied, else the `otherwise` of the first whose condition
   * does not hold. On an engine without transactions they run in the given order, and what a failed condition leaves
   * behind is taken back; a crash in between leaves the first ones standing, so put first what does no harm alone.
   * At most 100 (`TRANSACTION_SIZE`), no item twice (but for a `recheck`). Throws `StoreUnavailable`.
   */
  apply<Answer extends string>(writes: readonly TableWrite<Answer>[]): Promise<Answer | undefined>
}

/** Asks the engine for a transaction, and remembers where it has none. */
export const createTableWrites = (client: DynamoClient, tableName: string): TableWrites => {
  let hasTransactions = true
  return {
    async apply(writes) {
      if (!hasTransactions) return writeOneByOne(client, tableName, writes)
      try {
        return await transact(client, tableName, writes)
      } catch (error) {
        if (!isUnknownOperation(error)) throw error
        hasTransactions = false
        return writeOneByOne(client, tableName, writes)
      }
    },
  }
}

const isUnknownOperation = (error: unknown): boolean =>
  error instanceof Error && error.name === 'UnknownOperationException'
