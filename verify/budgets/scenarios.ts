import type { BenchTable } from '../../bench/table.ts'
import type { Cost } from '../../src/core/model/meter.ts'
import { highestPriceOf, type PricedUse, type Prices, priceOf } from '../../src/core/model/prices.ts'
import type { Load, Scenario } from '../over-admission/scenario.ts'

/** A budget in whole micro-dollars, of one window of the calendar, or of each window from its first use on. */
export interface Budget {
  readonly micros: number
  readonly window: 'day' | 'week' | 'month' | 'first_use'
  /** Of `first_use`. */
  readonly windowSeconds?: number
  /** True: each key has it; the worst of them is reported. */
  readonly isPerEntity?: boolean
}

export interface BudgetScenario extends Omit<Scenario, 'watched'> {
  readonly prices: string
  readonly budgets: readonly Budget[]
  /** True: calls are charged only afterwards. Shown beside the others, and expected to be overspent. */
  readonly isSoftCap?: boolean
}

const CLAUDE: Prices = {
  inputPerMillion: 3,
  outputPerMillion: 15,
  cachedInputPerMillion: 0.3,
  cacheWritePerMillion: 3.75,
  cacheWrite1hPerMillion: 6,
}

const LONG: Prices = {
  ...CLAUDE,
  longContext: { aboveTokens: 2500, inputPerMillion: 6, outputPerMillion: 22.5 },
}

const TIERED: Prices = {
  inputPerMillion: 1.25,
  outputPerMillion: 10,
  serviceTiers: {
    flex: { inputPerMillion: 0.625, outputPerMillion: 5 },
    priority: { inputPerMillion: 2.5, outputPerMillion: 20 },
  },
  perImage: 0.002,
}

/** A share of 0 to 1 that differs from call to call, the same in every run. */
const shareOf = (index: number, salt: number): number =>
  ((index * 2_654_435_761 + salt * 40_503) % 1009) / 1009

const TIERS = ['standard', 'flex', 'priority'] as const

/** The estimate of a call, and what it uses in the end: at most that. */
const callOf = (prices: Prices, index: number) => {
  const input = 500 + Math.floor(2500 * shareOf(index, 1))
  const output = 1000
  const images = prices.perImage === undefined ? 0 : 2
  const tiers = prices.serviceTiers === undefined ? (['standard'] as const) : TIERS
  const reserved = highestPriceOf(prices, {
    input,
    output,
    images,
    audioSeconds: 0,
    cacheWrites: prices.cacheWrite1hPerMillion === undefined ? 'none' : 'hour',
    tiers,
  })
  const cachedInput = Math.floor(input * shareOf(index, 2))
  const use: PricedUse = {
    input,
    output: Math.floor(output * shareOf(index, 3)),
    cachedInput,
    cacheWrite: Math.floor((input - cachedInput) * shareOf(index, 4)),
    images: index % (images + 1),
    tier: tiers[index % tiers.length] ?? 'standard',
  }
  return { reserved, used: priceOf(prices, use) }
}

const limitOf = ({ micros, window, windowSeconds }: Budget) => ({
  name: 'usd',
  meter: 'cost_usd_micros',
  algorithm: 'fixed_window',
  limit: micros,
  window,
  ...(windowSeconds !== undefined && { window_seconds: windowSeconds }),
})

type Parts = Pick<BudgetScenario, 'name' | 'prices'> & { readonly of: Prices; readonly load: Load }

const scenario = (parts: Parts, entityIds: readonly string[]) => ({
  name: parts.name,
  prices: parts.prices,
  load: parts.load,
  entityIds,
  request: (index: number) => ({
    entityId: entityIds[index % entityIds.length] ?? '',
    cost: { requests: 1, cost_usd_micros: callOf(parts.of, index).reserved },
  }),
  used: (cost: Cost, index: number): Cost => ({
    ...cost,
    cost_usd_micros: callOf(parts.of, index).used,
  }),
})

const alone = (parts: Parts, budget: Budget): BudgetScenario => {
  const id = parts.name.replaceAll(/[^a-z]/g, '-')
  return {
    ...scenario(parts, [id]),
    budgets: [budget],
    prepare: (table: BenchTable) => table.addLimited(id, [limitOf(budget)]),
  }
}

const KEYS = 8

const team = (parts: Parts, shared: Budget, own: Budget): BudgetScenario => {
  const keys = Array.from({ length: KEYS }, (_, index) => `key-${index}`)
  return {
    ...scenario(parts, keys),
    budgets: [shared, { ...own, isPerEntity: true }],
    async prepare(table) {
      await table.addLimited('team', [limitOf(shared)])
      for (const key of keys) await table.addLimited(key, [limitOf(own)], 'team')
    },
  }
}

/** As gateways do that look at what was spent before a call, and add to it afterwards. */
const softCap = (parts: Parts, budget: Budget): BudgetScenario => {
  const hard = alone(parts, budget)
  return {
    ...hard,
    isSoftCap: true,
    request: (index) => ({ ...hard.request(index), cost: { requests: 1, cost_usd_micros: 0 } }),
  }
}

const DOLLAR = 1_000_000

/** The requests of callers would spend every budget many times over. */
export const budgetScenarios = (load: Load): readonly BudgetScenario[] => {
  const caches = { prices: 'caches', of: CLAUDE, load }
  const longer = { ...load, seconds: 2 * load.seconds }
  return [
    alone({ ...caches, name: 'a day' }, { micros: DOLLAR, window: 'day' }),
    alone(
      { name: 'a week, long contexts', prices: 'caches, long context', of: LONG, load },
      { micros: DOLLAR, window: 'week' },
    ),
    alone(
      { name: 'a month, tiers and images', prices: 'tiers, images', of: TIERED, load },
      { micros: DOLLAR, window: 'month' },
    ),
    alone(
      { ...caches, name: 'a run, again and again', load: longer },
      { micros: DOLLAR / 2, window: 'first_use', windowSeconds: 1 },
    ),
    team(
      { ...caches, name: 'a team and its keys' },
      { micros: DOLLAR, window: 'day' },
      { micros: DOLLAR / 5, window: 'day' },
    ),
    softCap({ ...caches, name: 'a soft cap, to compare' }, { micros: DOLLAR, window: 'day' }),
  ]
}
