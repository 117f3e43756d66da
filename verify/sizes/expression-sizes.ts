import type { LimitDefinition } from '../../src/contract/limit-sizes.ts'
import type { ConditionalWrite } from '../../src/core/bucket/write.ts'
import { updateExpression } from '../../src/store/dynamodb/conditional-items.ts'
import { createSizeWorld, ENTITY_ID, type SizeWorld, slotNsOf } from './size-world.ts'

/** DynamoDB's limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
export const EXPRESSION_BYTES = 4096
export const EXPRESSION_OPERATORS = 300

/** The longest expression of a kind, and the one with the most operators and functions. */
export interface ExpressionSize {
  readonly expression: 'condition' | 'update'
  readonly bytes: number
  readonly operators: number
}

const SLOTS = 60
const WINDOW_SECONDS = 3600
const SLOT_NS = slotNsOf(WINDOW_SECONDS, SLOTS)

const METERS = ['tokens', 'input_tokens', 'output_tokens'] as const
const LARGE = 1_000_000

const windows: readonly LimitDefinition[] = METERS.map((meter, index) => ({
  name: `window_${index}`,
  meter,
  algorithm: 'sliding_window',
  limit: LARGE,
  window_seconds: WINDOW_SECONDS,
  slots: SLOTS,
}))

/** Five limits beside the three windows: a resource has at most eight. */
const OTHERS = [0, 1, 2, 3, 4]
const others: readonly (readonly LimitDefinition[])[] = [
  OTHERS.map((index) => ({
    name: `day_${index}`,
    meter: 'tokens',
    algorithm: 'fixed_window',
    limit: LARGE,
    window: 'day',
  })),
  OTHERS.map((index) => ({ name: `bucket_${index}`, meter: 'tokens', capacity: LARGE, refill_rate: 1 })),
  OTHERS.map((index) =>
    index < 2
      ? { name: `slots_${index}`, algorithm: 'concurrency', limit: 200 }
      : { name: `day_${index}`, meter: 'tokens', algorithm: 'fixed_window', limit: LARGE, window: 'day' },
  ),
]

const COST = { requests: 1, tokens: 1000, input_tokens: 700, output_tokens: 300, cost_usd_micros: 25 }
const USED = [
  { requests: 1, tokens: 500, input_tokens: 400, output_tokens: 100, cost_usd_micros: 12 },
  { requests: 1, tokens: 900, input_tokens: 500, output_tokens: 400, cost_usd_micros: 30 },
]

/** The delay of a settlement, and the number of slots in that time that contain other charges. */
interface Lateness {
  readonly elapsedSlots: number
  readonly chargedSlots: number
}

/** Without other charges, a refund names slots that must not exist; with them it reduces existing slots. */
const LATENESS: readonly Lateness[] = [
  ...Array.from({ length: 32 }, (_, index) => ({ elapsedSlots: 12 + index, chargedSlots: 0 })),
  ...[16, 23, 24, 25].map((slots) => ({ elapsedSlots: slots, chargedSlots: slots })),
]

/** The longest expressions that the limiter writes for a bucket with the maximum number and size of limits. */
export const longestExpressions = async (): Promise<readonly ExpressionSize[]> => {
  const sizes = createLongest()
  for (const beside of others) {
    const create = () => createSizeWorld([...windows, ...beside], sizes.see)
    for (const lateness of LATENESS) await settleLate(create(), lateness)
    await correctFull(create())
    await replaceSlots(create())
  }
  return sizes.all()
}

/** As many slots expire as one write removes, and as many requests share it as one write serves. */
const replaceSlots = async (world: SizeWorld): Promise<void> => {
  const together = () => Promise.all(Array.from({ length: 40 }, () => decide(world, true)))
  await together()
  world.advance(61n * 1_000_000_000n)
  await together()
}

const decide = ({ limiter }: SizeWorld, settles: boolean) =>
  limiter.decide({ entityId: ENTITY_ID, cost: COST, settles })

const settleLate = async (world: SizeWorld, { elapsedSlots, chargedSlots }: Lateness): Promise<void> => {
  const held = [await decide(world, true), await decide(world, true)]
  for (let slot = 1; slot <= elapsedSlots; slot++) {
    world.advance(SLOT_NS)
    if (slot <= chargedSlots) await decide(world, false)
  }
  for (const [index, decision] of held.entries())
    if (decision.allowed) await decision.reservation.settle(USED[index] ?? {})
}

/** Uses every slot; then come a top-up, a charge that removes expired slots, and a reset. */
const correctFull = async (world: SizeWorld): Promise<void> => {
  for (let slot = 0; slot <= SLOTS; slot++) {
    await decide(world, false)
    world.advance(SLOT_NS)
  }
  await world.limiter.topUp(ENTITY_ID, {})
  world.advance(SLOT_NS * BigInt(2 * SLOTS))
  await decide(world, false)
  await world.limiter.reset(ENTITY_ID, {})
}

const createLongest = () => {
  const most = { condition: { bytes: 0, operators: 0 }, update: { bytes: 0, operators: 0 } }
  const see = (expression: 'condition' | 'update', text = ''): void => {
    const { bytes, operators } = most[expression]
    most[expression] = {
      bytes: Math.max(bytes, text.length),
      operators: Math.max(operators, operatorsIn(text)),
    }
  }
  return {
    see(write: ConditionalWrite): void {
      const { ConditionExpression, UpdateExpression } = updateExpression(write)
      see('condition', ConditionExpression)
      see('update', UpdateExpression)
    },
    all: (): readonly ExpressionSize[] => [
      { expression: 'condition', ...most.condition },
      { expression: 'update', ...most.update },
    ],
  }
}

const operatorsIn = (expression: string): number =>
  expression.match(/\bAND\b|\bOR\b|\bBETWEEN\b|_exists\(|[<>]=?|=|\+/g)?.length ?? 0
