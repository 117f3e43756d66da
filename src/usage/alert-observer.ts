import pLimit from 'p-limit'
import { type Alert, type AlertEvent, eventKeyText, type ReachedShare } from '../core/model/alert.ts'
import { errorMessage } from '../core/model/errors.ts'
import { downToMs } from '../core/model/time.ts'
import type { AlertEventStore } from '../core/ports/alert-store.ts'
import type { Clock, Logger, Metrics, Secrets } from '../core/ports/platform.ts'
import type { MeterLookup } from '../core/resolve/limit-meter.ts'
import { type BucketOf, bucketWriteOf, createAlgorithms, reachedShares } from './reached-shares.ts'
import type { RecordFailure, StreamRecord } from './stream-usage.ts'

export interface AlertObserverDependencies {
  /** The configured alerts, cached. */
  readonly configured: () => Promise<readonly Alert[]>
  readonly events: Pick<AlertEventStore, 'raise'>
  /** Supplied by the store, which defines the table's keys. */
  readonly bucketOf: BucketOf
  readonly meterOf: MeterLookup
  readonly hash: Secrets['hash']
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Finds the limits in a batch of the table's stream of which configured shares are in use. */
export interface AlertObserver {
  /**
   * Puts an event for each share that was reached, at most one per window whichever process observes it and however often a
   * batch is repeated. Returns the records that must be repeated because something could not be read or written.
   */
  observe(records: readonly StreamRecord[]): Promise<readonly RecordFailure[]>
}

const WRITES_AT_ONCE = 16

/** Events that this process has raised or found: they are not put again with every further write in their window. */
const MOST_KNOWN = 10_000

interface Found extends ReachedShare {
  readonly record: number
}

export const createAlertObserver = (deps: AlertObserverDependencies): AlertObserver => {
  const known = new Set<string>()

  const raise = async (found: Found): Promise<void> => {
    const event = await pendingEvent(deps, found)
    const outcome = await deps.events.raise(event)
    if (known.size >= MOST_KNOWN) known.clear()
    known.add(eventKeyText(found))
    if (outcome === 'exists') return
    deps.metrics.count('alerts_raised')
    const { alert, id, bucket, limitName, share, used, capacity } = event
    deps.logger.info('alert raised', { alert, id, bucket, limitName, share, used, capacity })
  }

  const raiseAll = async (all: readonly Found[]): Promise<readonly RecordFailure[]> => {
    const failures: RecordFailure[] = []
    await pLimit(WRITES_AT_ONCE).map(all, async (found) => {
      try {
        await raise(found)
      } catch (error) {
        failures.push({ record: found.record, reason: errorMessage(error) })
      }
    })
    return failures
  }

  return {
    async observe(records) {
      if (records.length === 0) return []
      try {
        const configured = await deps.configured()
        return configured.length === 0 ? [] : await raiseAll(newIn(records, configured, deps.bucketOf, known))
      } catch (error) {
        return [{ record: 0, reason: errorMessage(error) }]
      }
    },
  }
}

/** The reached shares of a batch that are not known yet, each once. */
const newIn = (
  records: readonly StreamRecord[],
  alerts: readonly Alert[],
  bucketOf: BucketOf,
  known: ReadonlySet<string>,
): readonly Found[] => {
  const algorithms = createAlgorithms()
  const found = new Map<string, Found>()
  for (const [record, each] of records.entries()) {
    const write = bucketWriteOf(each, bucketOf)
    if (write === undefined) continue
    for (const reached of reachedShares(write, alerts, algorithms)) {
      const key = eventKeyText(reached)
      if (!known.has(key) && !found.has(key)) found.set(key, { ...reached, record })
    }
  }
  return [...found.values()]
}

const ID_DIGITS = 32

const pendingEvent = async (
  { meterOf, hash, clock }: AlertObserverDependencies,
  { record: _, ...reached }: Found,
): Promise<AlertEvent> => ({
  ...reached,
  meter: await meterOf(reached, reached.limitName),
  id: `alert_${hash(eventKeyText(reached)).slice(0, ID_DIGITS)}`,
  state: 'pending',
  attempts: 0,
  dueAt: downToMs(clock.now()),
  reason: null,
  endedAt: null,
})
