import type { MetricsSnapshot } from '../../src/platform/prometheus-metrics.ts'
import type { TableAddress } from '../serve/table-host.ts'

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
