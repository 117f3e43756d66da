import { createParser } from 'eventsource-parser'
import * as v from 'valibot'
import { ownLimitsResponse } from '../../src/contract/checks.ts'
import { dashboardEntitiesResponse, dashboardEntity } from '../../src/contract/dashboard.ts'
import { CliError, EXIT_CODES } from '../failure.ts'
import type { Host } from '../host.ts'
import { type LimitState, ownStatesOf } from '../limits/state-text.ts'
import type { ApiClient, Query } from './client.ts'

type DashboardEntity = v.InferOutput<typeof dashboardEntity>

export interface LiveOptions {
  readonly api: ApiClient
  readonly wait: Host['wait']
  /** Ends it. */
  readonly signal: AbortSignal
  /** Of entities: `q` and `limit`. */
  readonly query: Query
  /** Between reads, where nothing is streamed. */
  readonly intervalMs: number
  /** Called when the server cannot be reached, before the next attempt. */
  readonly onFailure: (error: CliError) => void
}

/** The states of limits, again and again. */
export type LiveStates = AsyncIterable<readonly LimitState[]>

const RETRY_MS = 2_000

/** What an event contains: all entities, or those that changed, and the ids of those that are gone. */
const changes = v.object({
  entities: v.array(dashboardEntity),
  removed: v.exactOptional(v.array(v.string())),
})

/** The limits of entities, from the stream of a server. It is opened again when it ends. */
export async function* streamedLimits(options: LiveOptions): LiveStates {
  const { api, signal, query } = options
  yield* untilStopped(options, RETRY_MS, async function* () {
    const entities = new Map<string, DashboardEntity>()
    const response = await api.open({ path: ['api', 'dashboard', 'stream'], query }, signal)
    for await (const data of eventsOf(response)) {
      const change = v.parse(changes, JSON.parse(data))
      for (const entity of change.entities) entities.set(entity.entity_id, entity)
      for (const id of change.removed ?? []) entities.delete(id)
      yield [...entities.values()].flatMap(statesOf)
    }
  })
}

/** The same by repeated reads, for servers that cannot stream. */
export async function* polledLimits(options: LiveOptions): LiveStates {
  const { api, query, intervalMs } = options
  yield* untilStopped(options, intervalMs, async function* () {
    const request = { path: ['api', 'dashboard', 'entities'], query }
    yield (await api.request(request, dashboardEntitiesResponse)).entities.flatMap(statesOf)
  })
}

/** The limits of a caller, who cannot read others. */
export async function* ownLimits(options: LiveOptions): LiveStates {
  const { api, intervalMs } = options
  yield* untilStopped(options, intervalMs, async function* () {
    yield ownStatesOf(await api.request({ path: ['v1', 'limits'] }, ownLimitsResponse))
  })
}

/** Repeats a read until the signal. The first failure is thrown; later the server is tried again. */
async function* untilStopped(options: LiveOptions, pauseMs: number, read: () => LiveStates): LiveStates {
  const { signal, wait } = options
  const onFailure = afterFirst(options)
  while (!signal.aborted) {
    try {
      for await (const states of read()) {
        onFailure.isFirst = false
        yield states
      }
    } catch (error) {
      onFailure.report(error)
    }
    await wait(pauseMs, signal)
  }
}

const afterFirst = ({ signal, onFailure }: LiveOptions) => ({
  isFirst: true,
  report(error: unknown): void {
    if (signal.aborted) return
    if (this.isFirst || !isTemporary(error)) throw error
    onFailure(error)
  },
})

const isTemporary = (error: unknown): error is CliError =>
  error instanceof CliError && error.exitCode === EXIT_CODES.unavailable

const statesOf = ({ entity_id: entity, limits }: DashboardEntity): readonly LimitState[] =>
  limits.map(({ name, resource, capacity, available, utilization_percent: percent }) => ({
    entity,
    resource,
    name,
    capacity,
    used: capacity - available,
    percent,
  }))

/** The data of each event `entities`. A connection that breaks ends them. */
async function* eventsOf({ body }: Response): AsyncIterable<string> {
  if (body === null) return
  const arrived: string[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === 'entities') arrived.push(data)
    },
  })
  const decoder = new TextDecoder()
  try {
    for await (const bytes of body) {
      parser.feed(decoder.decode(bytes, { stream: true }))
      yield* arrived.splice(0)
    }
  } catch (error) {
    throw new CliError(`the stream ended: ${String(error)}`, EXIT_CODES.unavailable, 'unreachable')
  }
}
