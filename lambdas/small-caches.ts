import type { CacheFactory } from '../src/core/ports/platform.ts'
import { lruCaches } from '../src/platform/runtime.ts'

/** A Lambda environment serves one request at a time and is often replaced: large caches would only slow down its start. */
const MAX_CACHED = 2_000

export const smallCaches: CacheFactory = ({ max }) => lruCaches({ max: Math.min(max, MAX_CACHED) })
