import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Limiter } from '../../../src/core/decide/limiter.ts'
import { policyUses } from '../../../src/core/decide/policy-use.ts'
import {
  applicablePolicies,
  isNameScope,
  POLICY_SCOPES,
  type PolicyKey,
  type PolicySubject,
  policyKeyOf,
} from '../../../src/core/model/policy.ts'
import { runs } from '../../property-runs.ts'
import { createTestWorld, type TestWorld } from '../test-limiter.ts'

const NODES = 3

const TIERS = { m1: 'premium', m2: 'free' } as const

/** Every policy that can apply to the subjects below, as its path. */
const PATHS = [
  ...['ann', 'bob'].flatMap((user) =>
    ['m1', 'm2'].map((model) => ['USER_MODEL', `${user}/${model}`] as const),
  ),
  ...['k1', 'k2'].map((key) => ['API_KEY', key] as const),
  ...['t1', 't2'].map((tenant) => ['TENANT', tenant] as const),
  ...['m1', 'm2'].map((model) => ['MODEL', model] as const),
  ...['premium', 'free'].map((tier) => ['MODEL_TIER', tier] as const),
  ['GLOBAL', '*'] as const,
]

const limit = fc.record({
  capacity: fc.integer({ min: 1, max: 6 }),
  algorithm: fc.constantFrom('sliding_window', 'token_bucket', 'fixed_window'),
})

type LimitDraft = typeof limit extends fc.Arbitrary<infer L> ? L : never

const limits = fc.tuple(...PATHS.map(() => fc.option(limit, { nil: undefined })))

const subjects = fc.record(
  {
    user: fc.constantFrom('ann', 'bob', 'not an id'),
    apiKey: fc.constantFrom('k1', 'k2'),
    tenant: fc.constantFrom('t1', 't2'),
    tier: fc.constantFrom('premium', 'free'),
    model: fc.constantFrom('m1', 'm2'),
  },
  { requiredKeys: ['model'] },
)

const jsonOf = ({ capacity, algorithm }: LimitDraft) => {
  const sizes = {
    token_bucket: { capacity, refill_rate: capacity / 3600 },
    sliding_window: { limit: capacity, window_seconds: 3600 },
    fixed_window: { limit: capacity, window: 'day' },
  }
  return { name: 'rph', meter: 'requests', algorithm, ...sizes[algorithm] }
}

/** A world whose clock stands still, and the available amount of each policy. */
const worldWith = (drafts: readonly (LimitDraft | undefined)[]) => {
  const world = createTestWorld()
  for (const [model, tier] of Object.entries(TIERS)) world.config.putModel(model, tier)
  const left = new Map<string, number>()
  PATHS.forEach(([scope, selector], index) => {
    const draft = drafts[index]
    if (draft === undefined) return
    world.config.putPolicy(scope, selector, parseLimits([jsonOf(draft)], 'limits'))
    left.set(nameOf(policyKeyOf(scope, selector)), draft.capacity)
  })
  return { world, left }
}

const nameOf = ({ scope, selector }: PolicyKey): string => `${scope} ${selector}`

const isTierName = (model: string): model is keyof typeof TIERS => model in TIERS

/** Those that have limits, most specific first. */
const boundBy = (subject: PolicySubject & { readonly model: string }, left: ReadonlyMap<string, number>) => {
  const modelTier = isTierName(subject.model) ? TIERS[subject.model] : undefined
  return applicablePolicies({ ...subject, tier: subject.tier ?? modelTier })
    .map(nameOf)
    .filter((name) => left.has(name))
}

const nodesOf = (world: TestWorld) => Array.from({ length: NODES }, () => world.join().limiter)

const namesIn = (decision: Decision): readonly string[] => policyUses(decision).map(({ key }) => nameOf(key))

const nodeAt = (nodes: readonly Limiter[], index: number): Limiter => {
  const node = nodes[index]
  if (node === undefined) throw new Error('no such node')
  return node
}

/** Compares the decision with what is left of the binding policies, and takes one from each if it is allowed. */
const compare = (decision: Decision, bound: readonly string[], left: Map<string, number>): void => {
  const failing = bound.filter((name) => left.get(name) === 0)
  expect(decision.allowed).toBe(failing.length === 0)
  expect(namesIn(decision)).toEqual(decision.allowed ? bound : failing)
  if (!decision.allowed) return
  const rests = bound.map((name) => (left.get(name) ?? 0) - 1)
  for (const name of bound) left.set(name, (left.get(name) ?? 0) - 1)
  expect(policyUses(decision).map(({ state }) => state.available)).toEqual(rests)
}

describe('a decision on policies', () => {
  const plans = fc.array(fc.tuple(subjects, fc.nat(NODES - 1)), { minLength: 1, maxLength: 40 })

  test.prop([limits, plans], { numRuns: runs(100) })(
    'is denied by all that have nothing left, the most specific first, and then charges none',
    async (drafts, plan) => {
      const { world, left } = worldWith(drafts)
      const nodes = nodesOf(world)
      for (const [subject, node] of plan) {
        const decision = await nodeAt(nodes, node).checkPolicies(subject)
        compare(decision, boundBy(subject, left), left)
      }
    },
  )

  test.prop([limits, fc.array(subjects, { minLength: 1, maxLength: 60 })], { numRuns: runs(70) })(
    'exceeds no policy under concurrent requests on several nodes',
    async (drafts, plan) => {
      const { world, left } = worldWith(drafts)
      const nodes = nodesOf(world)
      const decisions = await Promise.all(
        plan.map(async (subject, index) => ({
          bound: boundBy(subject, left),
          decision: await nodeAt(nodes, index % NODES).checkPolicies(subject),
        })),
      )
      const admitted = decisions.filter(({ decision }) => decision.allowed).flatMap(({ bound }) => bound)
      for (const [name, capacity] of left)
        expect(admitted.filter((each) => each === name).length).toBeLessThanOrEqual(capacity)
    },
  )
})

// policies on names have buckets of their own: named-policies.test.ts
test('the policies above have every scope whose selector is the bucket', () => {
  expect(new Set(PATHS.map(([scope]) => scope))).toEqual(
    new Set(POLICY_SCOPES.filter((scope) => !isNameScope(scope))),
  )
})
