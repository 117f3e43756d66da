import { setTimeout as pause } from 'node:timers/promises'
import { type AggregatorParts, openAggregator } from '../../src/compose/aggregator.ts'
import { connectTo } from '../../src/compose/connect.ts'
import type { AlertDelivery } from '../../src/usage/alert-delivery.ts'
import { createDelivery } from './delivery.ts'
import type { Feed, TableHost } from './table-host.ts'

export type CountingOptions = Omit<AggregatorParts, 'connect'>

/** An engine in this process is read with each batch, so that an alert that was just added observes the next write. */
const OWN_CACHE_SECONDS = 0

const DELIVER_EVERY_MS = 1_000

/** Sends the table's writes to an aggregator, and delivers alerts. Runs once per table host, however many nodes write. */
export const startCounting = async (host: TableHost, options: CountingOptions): Promise<Feed> => {
  const { settings, logger } = options
  const { aggregator, deliver, close } = openAggregator({
    ...options,
    settings: { ...settings, ...(host.isOwn && { configCacheSeconds: OWN_CACHE_SECONDS }) },
    connect: connectTo(host),
  })
  const feed = await host.feed(createDelivery({ aggregator, logger })).catch((error: unknown) => {
    close()
    throw error
  })
  const alerts = startDelivering(deliver)
  return {
    async stop() {
      await feed.stop()
      await alerts.stop()
      close()
    },
  }
}

/** A message that its receiver does not accept within this time is sent again after the next start. */
const STOP_WITHIN_MS = 2_000

const startDelivering = (deliver: AlertDelivery['deliver']): Feed => {
  let delivering: Promise<void> | undefined
  const timer = setInterval(() => {
    delivering ??= deliver(DELIVER_EVERY_MS).finally(() => {
      delivering = undefined
    })
  }, DELIVER_EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.race([delivering, pause(STOP_WITHIN_MS, undefined, { ref: false })])
    },
  }
}
