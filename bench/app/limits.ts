import type { LimitsInCode } from '../../src/library/index.ts'

/** Large enough that no request is denied. */
export const LIMIT = 1_000_000_000

export const WINDOW_MS = 60_000

/** The same for zael. */
export const LIMITS = [{ name: 'rpm', limit: LIMIT, per: 'minute' }] as const

/** As a server uses it by default. */
export const LEASE_TTL_MS = 1000

/** The options of zael that differ with its store. */
export type TableOptions = Pick<LimitsInCode, 'store' | 'leaseTtlMs' | 'metrics'>
