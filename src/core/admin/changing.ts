import { ZaelError } from '../errors.ts'

const ATTEMPTS = 5

/** The version of a change made at `now` (ns since the epoch) to what had the version `before` (null: there was nothing). */
export const nextVersion = (now: bigint, before: bigint | null): bigint =>
  before === null || now > before ? now : before + 1n

/**
 * Repeats a read-and-replace while others get in between, a few times at most.
 * Throws `ZaelError('conflict')` after that.
 */
export const untilUnchanged = async <T>(attempt: () => Promise<T | 'changed'>): Promise<T> => {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    const outcome = await attempt()
    if (outcome !== 'changed') return outcome
  }
  throw new ZaelError('conflict', 'It is being changed by others at the same time; please try again')
}
