import type { LimitSize } from '../limit/limit.ts'
import type { Algorithm } from './algorithm.ts'
import { nsPerToken } from './integers.ts'
import { createTokenBucket, parseTokenBucket } from './token-bucket.ts'

/** The arithmetic of a size. This file is the one list of algorithms. */
export const algorithmOf = (size: LimitSize): Algorithm => {
  switch (size.algorithm) {
    case 'token_bucket':
      return createTokenBucket({ capacity: size.capacity, tokenNs: nsPerToken(size.refillRate) })
  }
}

/** The arithmetic that a bucket names in `<limit>_limit`, or undefined where no algorithm knows the text. */
export const algorithmOfText = (text: string): Algorithm | undefined => parseTokenBucket(text)

/** A size of which one process may grant `share` (0 to 1) by itself; never less than 1. */
export const scaled = (size: LimitSize, share: number): LimitSize => {
  switch (size.algorithm) {
    case 'token_bucket':
      return {
        ...size,
        capacity: Math.max(1, Math.floor(size.capacity * share)),
        refillRate: size.refillRate * share,
      }
  }
}
