import type { CacheFactory } from '../src/core/ports/platform.ts'
import { lruCaches } from '../src/platform/runtime.ts'

/** An environment that serves one request at a time is often replaced: large caches would only slow down its start. */
const MAX_CACHED = 2_000

export const smallCaches: CacheFactory = ({ max }) => lruCaches({ max: Math.min(max, MAX_CACHED) })
