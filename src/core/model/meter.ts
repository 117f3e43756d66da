import { invalid } from './errors.ts'

/** The quantities that limits count. */
export const METERS = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'cost_usd_micros'] as const

export type Meter = (typeof METERS)[number]

/** The meter of concurrency limits: they count the requests in flight, whatever these cost. No cost names it. */
export const IN_FLIGHT = 'in_flight'

export const LIMIT_METERS = [...METERS, IN_FLIGHT] as const

/** What a limit counts. */
export type LimitMeter = (typeof LIMIT_METERS)[number]

/** Amounts per meter, whole and not negative. An absent meter is not charged or checked; 0 is checked against debt. */
export type Cost = Readonly<Partial<Record<Meter, number>>>

/** A slot of each concurrency limit that applies to a request, to be held while the request is in flight. */
export interface Slot {
  /** Unique among the slots of all processes. */
  readonly id: string
  /** When it expires, ns since the epoch; undefined: after the `lease_seconds` of each limit. */
  readonly until?: bigint
}

/**
 * A cost, and the slots that the request takes of each concurrency limit, whatever the cost is. An empty list takes none, and
 * requires a free one. Undefined: the charge does not concern concurrency limits.
 */
export type ChargedCost = Cost & { readonly slots?: readonly Slot[] }

/** The meter of a limit in JSON: concurrency limits count requests. */
export const shownMeter = (meter: LimitMeter): Meter => (meter === IN_FLIGHT ? 'requests' : meter)

/** An amount of a cost, or of leased tokens; undefined if it has none on the meter, as on that of concurrency limits. */
export const onMeter = (cost: Cost, meter: LimitMeter): number | undefined =>
  meter === IN_FLIGHT ? undefined : cost[meter]

/** No slot is taken, but a free one is required. */
export const NO_SLOTS: readonly Slot[] = []

/** The amount of `cost` that a limit on `meter` counts; undefined if it counts none of it. */
export const amountOf = (cost: ChargedCost, meter: LimitMeter): number | undefined => {
  if (meter !== IN_FLIGHT) return cost[meter]
  return cost.slots && Math.max(1, cost.slots.length)
}

/** The meters that usual limit names imply. */
export const USUAL_METERS: Readonly<Record<string, Meter>> = {
  rps: 'requests',
  rpm: 'requests',
  rph: 'requests',
  rpd: 'requests',
  tpm: 'tokens',
  tph: 'tokens',
  tpd: 'tokens',
  itpm: 'input_tokens',
  otpm: 'output_tokens',
}

/** The meter that a usual limit name (`rpm`, `tpm`, …) implies; undefined for any other name. */
export const meterOfName = (name: string): Meter | undefined =>
  Object.hasOwn(USUAL_METERS, name) ? USUAL_METERS[name] : undefined

export const isMeter = (value: unknown): value is Meter => METERS.some((meter) => meter === value)

/** Whether a number can be an amount of a meter: whole and not negative. */
export const isAmount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** Throws `ZaelError('invalid_request')` that names the meter (`cost.tokens`) if an amount is invalid. */
export const checkCost = (cost: Cost): void => {
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined && !isAmount(amount))
      throw invalid(`cost.${meter}`, 'be a whole number of at least 0')
  }
}

/** Whether a cost has no meter: it charges and checks nothing. */
export const isFree = (cost: Cost): boolean => METERS.every((meter) => cost[meter] === undefined)

/** The sum of `costs` per meter, and all their slots. */
export const sumOf = (costs: readonly ChargedCost[]): ChargedCost => {
  const sum: Partial<Record<Meter, number>> & { slots?: Slot[] } = {}
  for (const cost of costs) {
    for (const meter of METERS) {
      const amount = cost[meter]
      if (amount !== undefined) sum[meter] = (sum[meter] ?? 0) + amount
    }
    if (cost.slots === undefined) continue
    sum.slots ??= []
    sum.slots.push(...cost.slots)
  }
  return sum
}

/** The amount of `cost` that exceeds `held`, per meter, and its slots. */
export const beyond = (cost: ChargedCost, held: Cost): ChargedCost => {
  const rest: Partial<Record<Meter, number>> & { slots?: readonly Slot[] } = {}
  if (cost.slots !== undefined) rest.slots = cost.slots
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) rest[meter] = Math.max(0, amount - (held[meter] ?? 0))
  }
  return rest
}

/** The cost with `tokens` set to input + output if `tokens` is absent. */
export const withTotalTokens = (cost: ChargedCost): ChargedCost => {
  const { tokens, input_tokens: input, output_tokens: output } = cost
  if (tokens !== undefined || (input === undefined && output === undefined)) return cost
  return { ...cost, tokens: (input ?? 0) + (output ?? 0) }
}

/**
 * The actual usage: `actual`, and the reserved amount of each meter that is absent from it. If `actual` has input or output
 * tokens but no `tokens`, `tokens` is their sum.
 */
export const usedInstead = (reserved: Cost, actual: Cost): Cost => {
  const used = { ...reserved, ...actual }
  const isSumDue = actual.tokens === undefined && withTotalTokens(actual) !== actual
  if (!isSumDue) return used
  const { tokens: _, ...parts } = used
  return withTotalTokens(parts)
}
