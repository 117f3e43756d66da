import { SECOND_NS } from '../algorithms/integers.ts'
import { countersWrite } from '../bucket/bookkeeping.ts'
import type { BucketId } from '../bucket/bucket-id.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import { StoreUnavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import { countActions, type Tally } from './tally.ts'

export interface FlushDependencies {
  readonly writer: BucketWriter
  readonly tally: Tally
  readonly clock: Clock
}

const DENIALS_DELAY_NS = 10n * SECOND_NS

/** Writes of counts under way, so that decisions do not queue behind thousands of them. */
const AT_ONCE = 8

/** Writes the counts that have waited long enough (`all`: every one) by themselves; those surely not written wait on. */
export const flushTally = async (
  deps: FlushDependencies,
  options: { readonly useDelayNs: bigint; readonly all: boolean },
) => {
  const age = options.all
    ? { useNs: 0n, denialsNs: 0n }
    : { useNs: options.useDelayNs, denialsNs: DENIALS_DELAY_NS }
  const due = deps.tally.due(deps.clock.monotonic(), age).values()
  const failures: unknown[] = []
  const flushNext = async (): Promise<void> => {
    for (const bucket of due) await flushOne(deps, bucket).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, flushNext))
  if (failures.length > 0) throw failures[0]
}

const flushOne = async ({ writer, tally, clock }: FlushDependencies, bucket: BucketId): Promise<void> => {
  const pending = tally.take(bucket)
  if (!pending) return
  try {
    await writer.write(bucket, countersWrite(countActions(pending.counts), clock.now()))
  } catch (error) {
    // the store's client has logged it; counts that may be in the table already are dropped, as twice is worse than never
    if (!(error instanceof StoreUnavailable)) throw error
    if (!error.mayHaveApplied) tally.putBack(pending)
  }
}
