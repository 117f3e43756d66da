import type { SSEStreamingApi } from 'hono/streaming'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import type { EntityOverview } from './entity-overview.ts'
import { overviewChanges, type Shown } from './overview-changes.ts'

interface Options {
  readonly clock: Clock
  readonly logger: Logger
  /** null: one event, and then the end. */
  readonly intervalMs: number | null
  readonly read: () => Promise<EntityOverview>
}

const HEARTBEAT_NS = 15_000_000_000n
/** A client that must come back by itself waits so long. */
const RETRY_MS = 2000

/** Sends all entities, then those that change, until the viewer goes away. A comment is the heartbeat. */
export const sendOverview = async (stream: SSEStreamingApi, options: Options): Promise<void> => {
  const { clock, intervalMs } = options
  let sentAt = clock.monotonic()
  const first = await options.read()
  await send(stream, first)
  if (intervalMs === null) return
  let shown = overviewChanges(new Map(), first).shown
  const failed = createOnceAMinute(clock)
  for (;;) {
    await stream.sleep(intervalMs)
    if (stream.aborted || stream.closed) return
    const now = clock.monotonic()
    const next = await sendChanges(stream, { ...options, failed }, shown)
    shown = next.shown
    if (!next.sent && now - sentAt < HEARTBEAT_NS) continue
    if (!next.sent) await stream.write(': heartbeat\n\n')
    sentAt = now
  }
}

/** A store that is away for a while ends no stream. */
const sendChanges = async (
  stream: SSEStreamingApi,
  { read, logger, failed }: Options & { readonly failed: ReturnType<typeof createOnceAMinute> },
  shown: Shown,
): Promise<{ readonly shown: Shown; readonly sent: boolean }> => {
  try {
    const overview = await read()
    const { entities, removed, shown: now } = overviewChanges(shown, overview)
    if (entities.length === 0 && removed.length === 0) return { shown: now, sent: false }
    await send(stream, { entities, removed, next_cursor: overview.next_cursor })
    return { shown: now, sent: true }
  } catch (error) {
    failed((failures) => logger.warn('dashboard stream not read', { error: String(error), failures }))
    return { shown, sent: false }
  }
}

const send = (stream: SSEStreamingApi, body: object): Promise<void> =>
  stream.writeSSE({ event: 'entities', data: JSON.stringify(body), retry: RETRY_MS })
