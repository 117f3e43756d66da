import { invalid } from './errors.ts'

/** What a limit counts. */
export const METERS = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'cost_usd_micros'] as const

export type Meter = (typeof METERS)[number]

/** Amounts per meter, whole and not negative. A meter that is absent is not touched; 0 is checked against debt. */
export type Cost = Readonly<Partial<Record<Meter, number>>>

/** The meters that usual limit names mean. */
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

/** The meter that a usual limit name (`rpm`, `tpm`, …) means; undefined of any other name. */
export const meterOfName = (name: string): Meter | undefined =>
  Object.hasOwn(USUAL_METERS, name) ? USUAL_METERS[name] : undefined

export const isMeter = (value: unknown): value is Meter => METERS.some((meter) => meter === value)

/** Whether a number can be an amount of a meter: whole and not negative. */
export const isAmount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** Throws `ZaelError('invalid_request')` that names the meter (`cost.tokens`) where an amount cannot be. */
export const checkCost = (cost: Cost): void => {
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined && !isAmount(amount))
      throw invalid(`cost.${meter}`, 'be a whole number of at least 0')
  }
}

/** All of `costs` together, per meter. */
export const sumOf = (costs: readonly Cost[]): Cost => {
  const sum: Partial<Record<Meter, number>> = {}
  for (const cost of costs)
    for (const meter of METERS) {
      const amount = cost[meter]
      if (amount !== undefined) sum[meter] = (sum[meter] ?? 0) + amount
    }
  return sum
}

/** What of `cost` goes beyond `held`, per meter. */
export const beyond = (cost: Cost, held: Cost): Cost => {
  const rest: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) rest[meter] = Math.max(0, amount - (held[meter] ?? 0))
  }
  return rest
}

/** The cost with `tokens` filled in as input + output where only those are given. */
export const withTotalTokens = (cost: Cost): Cost => {
  const { tokens, input_tokens: input, output_tokens: output } = cost
  if (tokens !== undefined || (input === undefined && output === undefined)) return cost
  return { ...cost, tokens: (input ?? 0) + (output ?? 0) }
}

/**
 * What was really used: `actual`, and what was reserved of each meter that `actual` leaves out. Where it tells of input or
 * output only, `tokens` is their sum.
 */
export const usedInstead = (reserved: Cost, actual: Cost): Cost => {
  const used = { ...reserved, ...actual }
  const isSumDue = actual.tokens === undefined && withTotalTokens(actual) !== actual
  if (!isSumDue) return used
  const { tokens: _, ...parts } = used
  return withTotalTokens(parts)
}
