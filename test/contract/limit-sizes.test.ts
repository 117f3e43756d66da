import type * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import {
  type ConcurrencyDefinition,
  type FirstUseWindowDefinition,
  type FixedWindowDefinition,
  FORMATS,
  type LimitDefinition,
  type PerPeriodDefinition,
  type SlidingWindowDefinition,
  type TokenBucketDefinition,
} from '../../src/contract/limit-sizes.ts'
import { ALGORITHMS } from '../../src/core/model/limit.ts'

type Form = (typeof FORMATS)[number]['forms'][number]

type ReadonlyDeep<T> = T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T

/** The JSON that a schema accepts. */
type Accepted<S extends Form> = ReadonlyDeep<v.InferInput<S>>

/** The schema that accepts `Definition`. */
type FormOf<Definition> = Form extends infer S
  ? S extends Form
    ? Definition extends Accepted<S>
      ? S
      : never
    : never
  : never

test('the published types are what the schemas accept', () => {
  expectTypeOf<Accepted<FormOf<TokenBucketDefinition>>>().toEqualTypeOf<TokenBucketDefinition>()
  expectTypeOf<Accepted<FormOf<PerPeriodDefinition>>>().toEqualTypeOf<PerPeriodDefinition>()
  expectTypeOf<Accepted<FormOf<SlidingWindowDefinition>>>().toEqualTypeOf<SlidingWindowDefinition>()
  expectTypeOf<Accepted<FormOf<FixedWindowDefinition>>>().toEqualTypeOf<FixedWindowDefinition>()
  expectTypeOf<Accepted<FormOf<FirstUseWindowDefinition>>>().toEqualTypeOf<FirstUseWindowDefinition>()
  expectTypeOf<Accepted<FormOf<ConcurrencyDefinition>>>().toEqualTypeOf<ConcurrencyDefinition>()
  expectTypeOf<LimitDefinition>().toEqualTypeOf<Accepted<Form>>()
})

test('every algorithm has a form in JSON', () => {
  expect(FORMATS.map(({ algorithm }) => algorithm)).toEqual(ALGORITHMS)
})
