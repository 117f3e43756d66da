import * as v from 'valibot'
import { ALGORITHMS } from '../../core/model/limit.ts'
import { type fixedWindowForm, fixedWindowFormat, fixedWindowResponse } from './fixed-window.ts'
import { createLimitList } from './size-format.ts'
import { type slidingWindowForm, slidingWindowFormat, slidingWindowResponse } from './sliding-window.ts'
import { type byPeriod, type byRate, tokenBucketFormat, tokenBucketResponse } from './token-bucket.ts'

/** Every algorithm in JSON. Their arithmetic is in `core/bucket/registry.ts`. */
export const FORMATS = [tokenBucketFormat, slidingWindowFormat, fixedWindowFormat] as const

export type RegisteredForm = (typeof FORMATS)[number]['forms'][number]

export const limitList = createLimitList<RegisteredForm>(FORMATS)

/** `capacity` tokens, `refill_rate` more each second. A capacity of 0, rate 0, denies every request (paused). */
export type TokenBucketDefinition = v.InferInput<typeof byRate>

/** Short for a token bucket: `limit` tokens, refilled within the period. A limit of 0 denies every request. */
export type PerPeriodDefinition = v.InferInput<typeof byPeriod>

/** At most `limit` in any `window_seconds`. */
export type SlidingWindowDefinition = v.InferInput<typeof slidingWindowForm>

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar. */
export type FixedWindowDefinition = v.InferInput<typeof fixedWindowForm>

/** A limit as requests and apps define it. */
export type LimitDefinition = v.InferInput<RegisteredForm>

/** The size of a limit in a response, beside `capacity`. */
export const sizeResponse = {
  algorithm: v.picklist(ALGORITHMS),
  ...tokenBucketResponse,
  ...slidingWindowResponse,
  ...fixedWindowResponse,
}
