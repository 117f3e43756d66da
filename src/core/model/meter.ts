import { invalid } from './errors.ts'

/** The quantities that limits count. */
export const METERS = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'cost_usd_micros'] as const

export type Meter = (typeof METERS)[number]

/** Amounts per meter, whole and not negative. An absent meter is not charged or checked; 0 is checked against debt. */
export type Cost = Readonly<Partial<Record<Meter, number>>>

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

/** The sum of `costs` per meter. */
export const sumOf = (costs: readonly Cost[]): Cost => {
  const sum: Partial<Record<Meter, number>> = {}
  for (const cost of costs)
    for (const meter of METERS) {
      const amount = cost[meter]
      if (amount !== undefined) sum[meter] = (sum[meter] ?? 0) + amount
    }
  return sum
}

/** The amount of `cost` that exceeds `held`, per meter. */
export const beyond = (cost: Cost, held: Cost): Cost => {
  const rest: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) rest[meter] = Math.max(0, amount - (held[meter] ?? 0))
  }
  return rest
}

/** The cost with `tokens` set to input + output if `tokens` is absent. */
export const withTotalTokens = (cost: Cost): Cost => {
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
