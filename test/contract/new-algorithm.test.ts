import { toJsonSchema } from '@valibot/to-json-schema'
import { expect, test } from 'vitest'
import { JSON_SCHEMA_OPTIONS } from '../../src/contract/json-schema.ts'
import { createLimitList, type LimitForm } from '../../src/contract/limit-list.ts'
import { FORMATS } from '../../src/contract/limit-sizes.ts'
import { parseAt } from '../../src/contract/parse.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { algorithmOfText, periodText, registerAlgorithm } from '../../src/core/bucket/registry.ts'
import { limitToJson } from '../../src/core/model/json.ts'
import { entityOwner } from '../core/test-config.ts'
import { createTestWorld } from '../core/test-limiter.ts'
import { hourlyBucket, hourlyFormat } from './hourly-bucket.ts'

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
    'limits[0].algorithm must be one of token_bucket, sliding_window, fixed_window, concurrency, hourly_bucket',
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
