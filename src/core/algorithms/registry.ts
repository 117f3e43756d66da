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
