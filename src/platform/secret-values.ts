import type { Clock, Logger } from '../core/ports/platform.ts'

/** Secrets that change seldom, read again from time to time. */
export interface SecretValues {
  /**
   * The values, in the order of the ids. The same array as long as none has changed. Throws where they could never be
   * read; later the last known ones stand, with a warning.
   */
  read(): Promise<readonly string[]>
}

export interface SecretValuesOptions {
  readonly ids: readonly string[]
  /** Reads one secret. */
  readonly fetch: (id: string) => Promise<string>
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly logger: Logger
}

interface Known {
  readonly values: readonly string[]
  /** Monotonic ns. */
  readonly readAt: bigint
}

export const createSecretValues = (options: SecretValuesOptions): SecretValues => {
  const { ids, fetch, clock, logger } = options
  const maxAgeNs = BigInt(options.maxAgeMs) * 1_000_000n
  let known: Known | undefined

  const fetchAll = async (): Promise<readonly string[]> => {
    const values = await Promise.all(ids.map(fetch))
    const last = known?.values
    return last !== undefined && values.every((value, i) => value === last[i]) ? last : values
  }

  return {
    async read() {
      const now = clock.monotonic()
      if (known !== undefined && now - known.readAt < maxAgeNs) return known.values
      const values = await fetchAll().catch((error: unknown) => {
        if (known === undefined) throw error
        logger.warn('secrets cannot be read again: the last known ones stand', { error })
        return known.values
      })
      known = { values, readAt: now }
      return values
    },
  }
}
