import type { Counts, TallyCounts } from './measuring/tally.ts'
import type { LoadOptions } from './options/options.ts'

/** What a process of the load client is told. */
export type LoadCommand =
  | { readonly says: 'begin'; readonly options: LoadOptions; readonly process: number }
  | { readonly says: 'stop' }

/** What it says: first that it is ready, then now and then how far it is, at last all that it counted. */
export type LoadMessage =
  | { readonly says: 'ready' }
  | { readonly says: 'progress'; readonly total: Counts }
  | { readonly says: 'ended'; readonly counts: TallyCounts; readonly elapsedMs: number }
