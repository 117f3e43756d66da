import { fc } from '@fast-check/vitest'
import { parseDeclaration } from '../../src/contract/declaration.ts'
import { type DeclaredItems, declaredItems } from '../../src/declarative/items.ts'

/* Arbitrary documents as people write them: any notation of a value, any subset of the mappings. */

const shareOf = fc.constantFrom(0.1, 0.25, 0.5)

const common = fc.record(
  {
    mode: fc.constantFrom('enforce', 'warn', 'shadow'),
    warn_at: fc.constantFrom(0.5, 0.8, 1),
    refund: fc.constantFrom('strict', 'full'),
    on_unavailable: fc.constantFrom('allow', 'deny', 'local'),
    headroom: fc.record({ normal: fc.constantFrom(0, 0.1), low: shareOf }, { requiredKeys: [] }),
    lease_ttl_seconds: fc.constantFrom(0, 0.5, 2),
  },
  { requiredKeys: [] },
)

const positive = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100_000 }))

const amount = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 6, arbitrary: positive })

const times = fc.record({
  cron: fc.constantFrom('0 22 * * *', '0 9 * * 1-5'),
  time_zone: fc.constantFrom('UTC', 'Europe/Berlin'),
  duration_seconds: fc.constantFrom(3600, 28_800),
})

const scheduleOf = (amounts: fc.Arbitrary<object>) =>
  fc.option(
    fc.array(
      fc.tuple(times, amounts).map(([at, size]) => ({ ...at, ...size })),
      { maxLength: 2 },
    ),
    { nil: undefined },
  )

const withSchedule = <T extends object>(size: fc.Arbitrary<T>, amounts: fc.Arbitrary<object>) =>
  fc
    .tuple(size, scheduleOf(amounts))
    .map(([fields, schedule]) => ({ ...fields, ...(schedule !== undefined && { schedule }) }))

const entryLimit = amount.map((limit) => ({ limit }))

const period = fc.constantFrom('second', 'minute', 'hour', 'day')

const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400 }

const perPeriod = withSchedule(fc.record({ limit: amount, per: period }), entryLimit)

/** The same as `perPeriod`, or any other rate. */
const byRate = fc.tuple(positive, period, fc.constantFrom(1, 1, 1.5)).map(([capacity, per, factor]) => ({
  capacity,
  refill_rate: (capacity / SECONDS[per as keyof typeof SECONDS]) * factor,
}))

const entryCapacity = fc.oneof(
  amount.map((capacity) => ({ capacity })),
  fc.integer({ min: 1, max: 1000 }).map((capacity) => ({ capacity, refill_rate: capacity / 60 })),
)

const bucket = fc.oneof(
  perPeriod,
  withSchedule(byRate, entryCapacity),
  fc.constant({ capacity: 0, refill_rate: 0 }),
)

const withAlias = <T extends { readonly limit: number }>(size: T, isAliased: boolean) => ({
  ...size,
  ...(isAliased && { capacity: size.limit }),
})

const sliding = withSchedule(
  fc
    .tuple(
      fc.record(
        {
          algorithm: fc.constant('sliding_window'),
          limit: amount,
          window_seconds: fc.constantFrom(60, 3600),
          slots: fc.constantFrom(30, 60),
        },
        { requiredKeys: ['algorithm', 'limit', 'window_seconds'] },
      ),
      fc.boolean(),
    )
    .map(([size, isAliased]) => withAlias(size, isAliased)),
  entryLimit,
)

const fixed = withSchedule(
  fc.oneof(
    fc.record(
      {
        algorithm: fc.constant('fixed_window'),
        limit: amount,
        window: fc.constantFrom('minute', 'hour', 'day', 'week', 'month'),
        time_zone: fc.constantFrom('UTC', 'Europe/Berlin', '+02:00'),
      },
      { requiredKeys: ['algorithm', 'limit', 'window'] },
    ),
    fc.record({
      algorithm: fc.constant('fixed_window'),
      limit: amount,
      window: fc.constant('first_use'),
      window_seconds: fc.constantFrom(60, 3600),
    }),
  ),
  entryLimit,
)

const concurrency = withSchedule(
  fc.record(
    {
      algorithm: fc.constant('concurrency'),
      limit: fc.integer({ min: 0, max: 200 }),
      lease_seconds: fc.constantFrom(60, 30),
      meter: fc.constant('requests'),
    },
    { requiredKeys: ['algorithm', 'limit'] },
  ),
  fc.integer({ min: 0, max: 200 }).map((limit) => ({ limit })),
)

const meter = fc.constantFrom('requests', 'tokens', 'input_tokens', 'output_tokens', 'cost_usd_micros')

const metered = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: bucket },
      { weight: 1, arbitrary: fixed },
      { weight: 1, arbitrary: sliding },
    ),
    fc.option(meter, { nil: undefined }),
  )
  .map(([size, counted]) => ({ ...size, ...(counted !== undefined && { meter: counted }) }))

/** A limit in JSON, without its name. */
export const limitBody = fc
  .tuple(common, fc.oneof({ weight: 5, arbitrary: metered }, { weight: 1, arbitrary: concurrency }))
  .map(([fields, size]) => ({ ...fields, ...size }))

/** At most two, so that they are valid together. */
export const limitsBody = (minLength = 0) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('rpm', 'tpm', 'budget'), limitBody), {
      selector: ([name]) => name,
      minLength,
      maxLength: 2,
    })
    .map((named) => named.map(([name, body]) => ({ name, ...body })))

const mapping = <T>(keys: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...keys), value), {
      selector: ([key]) => key,
      maxLength: keys.length,
    })
    .map((entries) => Object.fromEntries(entries))

const UPSTREAMS = ['a', 'b']

const upstream = fc.oneof(
  fc.record(
    {
      kind: fc.constant('openai'),
      base_url: fc.constantFrom('https://models.example/v1', 'HTTPS://Models.example/v1'),
      secret: fc.constantFrom('env:UPSTREAM_SECRET_A', null),
      headers: fc.constantFrom({}, { 'X-Team': 'a' }),
      total_timeout_seconds: fc.constantFrom(900, 60),
      adaptive: fc.constantFrom(null, {}, { floor: 0.1 }, { floor: 0.5 }),
    },
    { requiredKeys: ['kind', 'base_url'] },
  ),
  fc.constant({ kind: 'simulated' }),
)

const model = (id: string) =>
  fc.record(
    {
      tier: fc.constantFrom('premium', null),
      prices: fc.constantFrom(null, { input_per_million: 1, output_per_million: 2, service_tiers: {} }),
      token_weights: fc.constantFrom(null, {}, { input: 1 }, { output: 5 }),
      upstreams: fc.uniqueArray(
        fc.record(
          { upstream: fc.constantFrom(...UPSTREAMS), model: fc.constantFrom(null, id, 'other') },
          { requiredKeys: ['upstream'] },
        ),
        { selector: (each) => each.upstream },
      ),
      max_output_tokens: fc.constantFrom(4096, 100),
    },
    { requiredKeys: [] },
  )

const byResource = mapping(['_default_', 'gpt-4', 'org/model'], limitsBody())

export const ENTITIES = ['e1', 'e2', 'e3', 'e4', 'e5']

const entity = fc.record(
  {
    name: fc.constantFrom('e1', 'Team'),
    kind: fc.constantFrom('entity', 'tenant'),
    cascade: fc.boolean(),
    role: fc.constantFrom('admin', null),
    priority: fc.constantFrom('high', 'normal'),
    models: fc.constantFrom(null, [], ['gpt-4', 'b'], ['b', 'gpt-4']),
    metadata: fc.constantFrom({}, { team: 'a', floor: '2' }),
    disabled: fc.boolean(),
    bypass: fc.boolean(),
    limits: byResource,
  },
  { requiredKeys: [] },
)

/** Entities, each below one that comes before it in an order of their own. */
const entities = fc
  .tuple(
    fc.shuffledSubarray(ENTITIES),
    fc.infiniteStream(entity),
    fc.infiniteStream(fc.option(fc.nat(), { nil: undefined })),
  )
  .map(([ids, bodies, parents]) => {
    const declared: Record<string, object> = {}
    for (const [index, id] of ids.entries()) {
      const { value: body } = bodies.next()
      const { value: parent } = parents.next()
      const above = ids[(parent ?? 0) % Math.max(1, index)]
      const hasParent = parent !== undefined && index > 0 && above !== undefined
      declared[id] = { ...body, ...(hasParent && { parent_id: above }) }
    }
    return declared
  })

const alert = fc.oneof(
  fc.record(
    {
      entity_id: fc.constantFrom('e1', null),
      limit_name: fc.constantFrom('rpm', null),
      shares: fc.constantFrom([0.8, 1], [1, 0.8], [0.5]),
      sns_topic_arn: fc.constant('arn:aws:sns:eu-central-1:123456789012:alerts'),
    },
    { requiredKeys: ['sns_topic_arn'] },
  ),
  fc.constant({
    policy: 'TENANT/e1',
    sns_topic_arn: 'arn:aws:sns:eu-central-1:123456789012:alerts',
  }),
)

const POLICIES = ['GLOBAL/*', 'TENANT/e1', 'USER/*', 'USER_MODEL/anna/org/model', 'MODEL_TIER/premium']

const parts = {
  upstreams: fc.constant({}).chain(() => mapping(UPSTREAMS, upstream)),
  models: fc.record({ 'gpt-4': model('gpt-4'), 'org/model': model('org/model') }, { requiredKeys: [] }),
  defaults: fc.record(
    { system: byResource, roles: mapping(['admin', 'user'], byResource) },
    { requiredKeys: [] },
  ),
  entities,
  policies: mapping(POLICIES, limitsBody(1)),
  alerts: mapping(['budget', 'team'], alert),
}

/** A document with every mapping whose references are all in it. */
export const wholeDocument = fc.record(parts).map((document) => withUpstreams(document))

/** A document with any of the mappings, whose references may be missing. */
export const anyDocument = fc.record(parts, { requiredKeys: [] })

/** The same with every upstream that its models may name. */
const withUpstreams = <T extends { readonly upstreams: object }>(document: T) => ({
  ...document,
  upstreams: { a: { kind: 'simulated' }, b: { kind: 'simulated' }, ...document.upstreams },
})

/** The items of a valid document. */
export const itemsOf = (document: unknown): DeclaredItems => {
  const parsed = parseDeclaration(document)
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults))
  return declaredItems(parsed.declaration)
}
