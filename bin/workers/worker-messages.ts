import type { TableAddress } from '../../src/compose/connect.ts'
import { type MetricsSnapshot, sumOfMetrics } from '../../src/platform/prometheus-metrics.ts'

/** What a worker is told. `metrics-wanted` and `metrics-text` carry the number of the request that they belong to. */
export type WorkerCommand =
  | {
      readonly says: 'serve'
      readonly table: TableAddress
      readonly nodeId: string | null
      readonly version: string
    }
  | { readonly says: 'metrics-wanted'; readonly request: number }
  | { readonly says: 'metrics-text'; readonly request: number; readonly text: string }
  | { readonly says: 'stop' }

/** What a worker says: that it can be told, that it listens or why not, what it has counted, and that it wants all of it. */
export type WorkerMessage =
  | { readonly says: 'ready' }
  | { readonly says: 'listening'; readonly url: string }
  | { readonly says: 'failed'; readonly message: string }
  | { readonly says: 'metrics'; readonly request: number; readonly metrics: MetricsSnapshot }
  | { readonly says: 'metrics-text-wanted'; readonly request: number }

/** Waits for answers from another process, which come by the number of the question. */
export interface Replies<T> {
  /** Resolves to the answer to what `ask` asked, or to undefined where none has come in time. */
  to(ask: (request: number) => void): Promise<T | undefined>
  arrived(request: number, answer: T): void
}

export const createReplies = <T>(patienceMs: number): Replies<T> => {
  const waiting = new Map<number, (answer: T | undefined) => void>()
  let last = 0
  return {
    to: (ask) =>
      new Promise((resolve) => {
        const request = ++last
        const settle = (answer: T | undefined): void => {
          clearTimeout(late)
          waiting.delete(request)
          resolve(answer)
        }
        const late = setTimeout(() => settle(undefined), patienceMs)
        waiting.set(request, settle)
        ask(request)
      }),
    arrived: (request, answer) => waiting.get(request)?.(answer),
  }
}

export interface SummedMetrics {
  /** What all processes have counted, in Prometheus' text format; without those that do not answer in time. */
  text(): Promise<string>
  arrived(request: number, metrics: MetricsSnapshot): void
}

export interface SummedMetricsOptions {
  readonly own: () => Promise<MetricsSnapshot>
  /** Asks all others for theirs; says how many there are. */
  readonly ask: (request: number) => number
  readonly patienceMs: number
}

interface Gathering {
  readonly snapshots: MetricsSnapshot[]
  readonly missing: () => number
  readonly done: () => void
}

/** Adds this process's metrics to those of the others. */
export const createSummedMetrics = ({ own, ask, patienceMs }: SummedMetricsOptions): SummedMetrics => {
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
      let asked = Number.POSITIVE_INFINITY
      gatherings.set(request, { snapshots, missing: () => asked - snapshots.length, done })
      asked = ask(request)
      if (asked === 0) done()
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
