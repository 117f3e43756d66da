import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { JSON_SCHEMA_OPTIONS } from '../../src/contract/json-schema.ts'
import { limitFields, limitObject, limitOf, windowLimit } from '../../src/contract/limit-fields.ts'
import { parseAt } from '../../src/contract/parse.ts'
import { FORMATS } from '../../src/contract/sizes/registry.ts'
import { createLimitList, type LimitForm, type SizeFormat } from '../../src/contract/sizes/size-format.ts'
import type { AlgorithmDefinition } from '../../src/core/bucket/algorithm.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import {
  algorithmOf,
  algorithmOfText,
  periodText,
  registerAlgorithm,
} from '../../src/core/bucket/registry.ts'
import { limitToJson } from '../../src/core/model/json.ts'
import { entityOwner } from '../core/test-config.ts'
import { createTestWorld } from '../core/test-limiter.ts'

/*
 * An algorithm that zael does not contain, added like its own: a size, a definition of its arithmetic, a format of its JSON.
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

const hourlyBucket: AlgorithmDefinition<HourlyBucketSize> = {
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
  limitObject({ ...limitFields, algorithm: v.literal('hourly_bucket'), limit: windowLimit }),
  v.transform((json) => limitOf(json, { algorithm: 'hourly_bucket', limit: json.limit })),
)

const hourlyFormat: SizeFormat = {
  algorithm: 'hourly_bucket',
  forms: [hourlyForm],
  formOf: () => hourlyForm,
}

registerAlgorithm(hourlyBucket)
const limitList = createLimitList<LimitForm>([...FORMATS, hourlyFormat])
const parseLimits = (input: unknown) => parseAt(limitList, input, 'limits')

const rph = { name: 'rph', algorithm: 'hourly_bucket', limit: 3 }

test('the new limit is parsed, and an error names its field', () => {
  expect(parseLimits([rph])).toEqual([
    { name: 'rph', meter: 'requests', size: { algorithm: 'hourly_bucket', limit: 3 } },
  ])
  expect(() => parseLimits([{ ...rph, limit: -1 }])).toThrow(/^limits\[0\]\.limit must be an integer from 0/)
  expect(() => parseLimits([{ ...rph, per: 'day' }])).toThrow(/^limits\[0\]\.per must not be given/)
  expect(() => parseLimits([{ ...rph, algorithm: 'leaky' }])).toThrow(
    'limits[0].algorithm must be one of token_bucket, sliding_window, fixed_window, hourly_bucket',
  )
})

test('the new limit is returned as JSON', () => {
  expect(parseLimits([rph]).map(limitToJson)).toEqual([{ ...rph, meter: 'requests', capacity: 3 }])
})

test('the OpenAPI document describes the new limit', () => {
  const { items } = toJsonSchema(limitList, JSON_SCHEMA_OPTIONS)
  expect(items).toMatchObject({
    anyOf: expect.arrayContaining([
      expect.objectContaining({ required: ['name', 'algorithm', 'limit'], additionalProperties: false }),
    ]),
  })
})

test('the limiter decides by the new limit, keeps its state in the bucket, and refills it', async () => {
  const world = createTestWorld({ configCacheMs: 0 })
  const { clock, config, node } = world
  config.putEntity('key')
  config.putLimits(entityOwner('key'), '_default_', parseLimits([rph]))
  const decide = () => node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
  const allowed = [await decide(), await decide(), await decide(), await decide()].map((each) => each.allowed)
  expect(allowed).toEqual([true, true, true, false])
  expect(await world.buckets.read(entityBucket('key', '_default_'))).toMatchObject({
    rph_limit: 'hourly_bucket 3',
  })
  clock.advance(1_200_000_000_000n)
  expect((await decide()).allowed).toBe(true)
})

test('the state is read back from the bucket', () => {
  expect(algorithmOfText('hourly_bucket 3')).toMatchObject({ name: 'hourly_bucket', capacity: 3 })
  expect(algorithmOfText('hourly_bucket three')).toBeUndefined()
})

test('the period of the new limit has a text', () => {
  expect(periodText({ algorithm: 'hourly_bucket', limit: 3 }, 3600)).toBe('in an hour')
})
