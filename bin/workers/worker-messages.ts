import type { TableAddress } from '../../src/compose/connect.ts'
import { type MetricsSnapshot, sumOfMetrics } from '../../src/platform/prometheus-metrics.ts'
import type { Settings } from '../../src/settings/settings.ts'

/** Commands to a worker. `request` identifies the request that `metrics-wanted` and `metrics-text` belong to. */
export type WorkerCommand =
  | {
      readonly type: 'serve'
      /** Undefined: the DynamoDB of the environment. */
      readonly table: TableAddress | undefined
      readonly settings: Settings
      readonly version: string
    }
  | { readonly type: 'metrics-wanted'; readonly request: number }
  | { readonly type: 'metrics-text'; readonly request: number; readonly text: string }
  | { readonly type: 'stop' }

/** Messages of a worker: it accepts commands; it listens, or failed to; its metrics; its request for the metrics of all processes. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'metrics'; readonly request: number; readonly metrics: MetricsSnapshot }
  | { readonly type: 'metrics-text-wanted'; readonly request: number }

/** Waits for replies of another process, which contain the number of their request. */
export interface Replies<T> {
  /** Resolves to the reply to the request that `send` sends, or to undefined if it does not arrive in time. */
  to(send: (request: number) => void): Promise<T | undefined>
  arrived(request: number, reply: T): void
}

export const createReplies = <T>(patienceMs: number): Replies<T> => {
  const waiting = new Map<number, (reply: T | undefined) => void>()
  let last = 0
  return {
    to: (send) =>
      new Promise((resolve) => {
        const request = ++last
        const settle = (reply: T | undefined): void => {
          clearTimeout(late)
          waiting.delete(request)
          resolve(reply)
        }
        const late = setTimeout(() => settle(undefined), patienceMs)
        waiting.set(request, settle)
        send(request)
      }),
    arrived: (request, reply) => waiting.get(request)?.(reply),
  }
}

export interface SummedMetrics {
  /** The metrics of all processes in Prometheus' text format, without those that do not reply in time. */
  text(): Promise<string>
  arrived(request: number, metrics: MetricsSnapshot): void
}

export interface SummedMetricsOptions {
  readonly own: () => Promise<MetricsSnapshot>
  /** Requests the metrics of all other processes. Returns their number. */
  readonly requestOthers: (request: number) => number
  readonly patienceMs: number
}

interface Gathering {
  readonly snapshots: MetricsSnapshot[]
  readonly missing: () => number
  readonly done: () => void
}

/** Adds this process's metrics to those of the others. */
export const createSummedMetrics = ({
  own,
  requestOthers,
  patienceMs,
}: SummedMetricsOptions): SummedMetrics => {
  const gatherings = new Map<number, Gathering>()
  let last = 0
  const gather = (): Promise<readonly MetricsSnapshot[]> =>
    new Promise((resolve) => {
      const request = ++last
      const snapshots: MetricsSnapshot[] = []
      const done = (): void => {
        clearTimeout(late)
        gatherings.delete(request)
        resolve(snapshots)
      }
      const late = setTimeout(done, patienceMs)
      let expected = Number.POSITIVE_INFINITY
      gatherings.set(request, { snapshots, missing: () => expected - snapshots.length, done })
      expected = requestOthers(request)
      if (expected === 0) done()
    })
  return {
    text: async () => sumOfMetrics([await own(), ...(await gather())]),
    arrived(request, metrics) {
      const gathering = gatherings.get(request)
      gathering?.snapshots.push(metrics)
      if (gathering?.missing() === 0) gathering.done()
    },
  }
}
