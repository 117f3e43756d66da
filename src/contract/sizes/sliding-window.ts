import * as v from 'valibot'
import {
  DEFAULT_SLOTS,
  MAX_SLOTS,
  MAX_WINDOW_SECONDS,
  MIN_SLOTS,
  type SlidingWindowSize,
} from '../../core/model/limit.ts'
import { checkedBy } from '../containers.ts'
import { integer } from '../fields.ts'
import { capacityFault, limitFields, limitObject, limitOf, windowLimit } from '../limit-fields.ts'
import type { SizeFormat } from './size-format.ts'

const windowSeconds = integer(1, MAX_WINDOW_SECONDS)

const slots = v.pipe(
  integer(MIN_SLOTS, MAX_SLOTS),
  v.description(`The number of steps in which the window advances; default ${DEFAULT_SLOTS}`),
)

interface Json {
  readonly limit: number
  readonly window_seconds: number
  readonly slots?: number | undefined
}

const sizeOf = (json: Json): SlidingWindowSize => ({
  algorithm: 'sliding_window',
  limit: json.limit,
  windowSeconds: json.window_seconds,
  slots: json.slots ?? DEFAULT_SLOTS,
})

/** At most `limit` in any `window_seconds`. */
export const slidingWindowForm = v.pipe(
  limitObject({
    ...limitFields,
    algorithm: v.literal('sliding_window'),
    limit: windowLimit,
    window_seconds: windowSeconds,
    /** The number of steps in which the window advances: 2 to 60. Default 30. */
    slots: v.optional(slots),
    /** As responses contain it: the same as `limit`. */
    capacity: v.optional(windowLimit),
  }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => limitOf(json, sizeOf(json))),
)

export const slidingWindowFormat = {
  algorithm: 'sliding_window',
  forms: [slidingWindowForm],
  formOf: () => slidingWindowForm,
} as const satisfies SizeFormat

/** How responses show the size, beside `limit`. */
export const slidingWindowResponse = {
  window_seconds: v.exactOptional(windowSeconds),
  slots: v.exactOptional(slots),
}
