import type { StreamRecord } from '../../src/usage/stream-record.ts'

/** What is asked of the engine's thread. */
export type EngineCommand = 'flush' | 'stop'

/** What the engine's thread says. Records that were sent before an answer arrive before it. */
export type EngineMessage =
  | { readonly says: 'started'; readonly endpoint: string }
  | { readonly says: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly says: 'records'; readonly records: readonly StreamRecord[] }
  | { readonly says: 'flushed' | 'stopped' }
