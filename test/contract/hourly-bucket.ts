import * as v from 'valibot'
import { commonFields, limitObject, limitOf, size } from '../../src/contract/limit-fields.ts'
import type { SizeFormat } from '../../src/contract/limit-list.ts'
import type { AlgorithmDefinition } from '../../src/core/bucket/algorithm.ts'
import { algorithmOf } from '../../src/core/bucket/registry.ts'

/*
 * An algorithm that zael does not contain, made like its own: a size, a definition of its arithmetic, a format of its JSON.
 * That all of zael compiles with it in the list of sizes is part of the test.
 */

/** `limit` tokens, refilled within an hour. */
interface HourlyBucketSize {
  readonly algorithm: 'hourly_bucket'
  readonly limit: number
}

declare module '../../src/core/model/limit.ts' {
  interface LimitSizes {
    readonly hourly_bucket: HourlyBucketSize
  }
}

const create = (limit: number) => ({
  ...algorithmOf({ algorithm: 'token_bucket', capacity: limit, refillRate: limit / 3600 }),
  name: 'hourly_bucket',
  text: `hourly_bucket ${limit}`,
})

/** Its arithmetic. */
export const hourlyBucket: AlgorithmDefinition<HourlyBucketSize> = {
  name: 'hourly_bucket',
  create: ({ limit }) => create(limit),
  parse(text) {
    const [, limit] = /^hourly_bucket (\d+)$/.exec(text) ?? []
    return limit === undefined ? undefined : create(Number(limit))
  },
  scaled: (size, part) => ({ ...size, limit: part(size.limit) }),
  period: () => 'in an hour',
}

const hourlyForm = v.pipe(
  limitObject({ ...commonFields, algorithm: v.literal('hourly_bucket'), limit: size }),
  v.transform((json) => limitOf(json, { algorithm: 'hourly_bucket', limit: json.limit })),
)

/** Its JSON. */
export const hourlyFormat: SizeFormat = {
  algorithm: 'hourly_bucket',
  forms: [hourlyForm],
  formOf: () => hourlyForm,
  response: {},
}
