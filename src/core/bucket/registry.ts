import type { LimitSize } from '../model/limit.ts'
import { nsPerToken, SECOND_NS } from '../model/time.ts'
import type { Algorithm } from './algorithm.ts'
import { createFixedWindow, parseFixedWindow } from './fixed-window.ts'
import { createSlidingWindow, parseSlidingWindow } from './sliding-window.ts'
import { createTokenBucket, parseTokenBucket } from './token-bucket.ts'

/** The arithmetic of a size. This file is the one list of algorithms. */
export const algorithmOf = (size: LimitSize): Algorithm => {
  switch (size.algorithm) {
    case 'token_bucket':
      return createTokenBucket({
        capacity: size.capacity,
        tokenNs: size.capacity === 0 ? 0n : nsPerToken(size.refillRate),
      })
    case 'sliding_window':
      return createSlidingWindow({ ...size, windowNs: BigInt(size.windowSeconds) * SECOND_NS })
    case 'fixed_window':
      return createFixedWindow(size)
  }
}

const parsers = [parseTokenBucket, parseSlidingWindow, parseFixedWindow]

/** The arithmetic that a bucket names in `<limit>_limit`, or undefined where no algorithm knows the text. */
export const algorithmOfText = (text: string): Algorithm | undefined => {
  for (const parse of parsers) {
    const algorithm = parse(text)
    if (algorithm !== undefined) return algorithm
  }
  return undefined
}

/** A size of which one process may grant `share` (0 to 1) by itself; never less than 1, unless the limit is paused. */
export const scaled = (size: LimitSize, share: number): LimitSize => {
  const part = (amount: number): number => Math.max(Math.min(1, amount), Math.floor(amount * share))
  return size.algorithm === 'token_bucket'
    ? { ...size, capacity: part(size.capacity), refillRate: size.refillRate * share }
    : { ...size, limit: part(size.limit) }
}
