import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** Calls to the engine so far, by kind, failed conditions included, and what DynamoDB bills for them. */
export interface Calls {
  writes: number
  reads: number
  writeUnits: number
  readUnits: number
}

export const noCalls = (): Calls => ({ writes: 0, reads: 0, writeUnits: 0, readUnits: 0 })

export const callsSince = (now: Calls, before: Calls): Calls => ({
  writes: now.writes - before.writes,
  reads: now.reads - before.reads,
  writeUnits: now.writeUnits - before.writeUnits,
  readUnits: now.readUnits - before.readUnits,
})

/** A write that was applied, as a stream tells it. */
export interface SeenWrite {
  readonly key: Image
  readonly old: Image | undefined
  readonly new: Image
  /** Wall clock. */
  readonly atMs: number
}

export type Image = Readonly<Record<string, AttributeValue>>

const COUNTED = /^(Update|Get|BatchGet|Query)/

/**
 * Counts each call of a client as it is sent, beside everything that is measured. `onWrite` hears of writes that ask for the
 * new image; only this client may write to these items.
 */
export const countCalls = (
  sdk: DynamoDBClient,
  calls: Calls,
  onWrite: (write: SeenWrite) => void = () => {},
): void => {
  const bill = createBill(calls)
  const images = new Map<string, Image>()
  const seen = (key: Image, image: Image): void => {
    const item = JSON.stringify(key)
    onWrite({ key, old: images.get(item), new: image, atMs: Date.now() })
    images.set(item, image)
  }
  sdk.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        if (!COUNTED.test(commandName)) return next(args)
        const key = ('Key' in args.input && args.input.Key) || {}
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' as const }
        const answer = await bill(commandName, JSON.stringify(key), next({ ...args, input }))
        if ('Attributes' in answer.output && answer.output.Attributes) seen(key, answer.output.Attributes)
        return answer
      },
    { step: 'initialize', name: 'countCalls' },
  )
}

/**
 * The engine says how many units a call took, by the size of the item. A failed condition tells none, and is billed as the
 * item's last write was: 1 where there was none.
 */
const createBill = (calls: Calls) => {
  const unitsOf = new Map<string, number>()
  return async <T extends { readonly output: object }>(
    commandName: string,
    item: string,
    call: Promise<T>,
  ): Promise<T> => {
    const isWrite = commandName.startsWith('Update')
    calls[isWrite ? 'writes' : 'reads']++
    let units = unitsOf.get(item) ?? 1
    try {
      const answer = await call
      units = consumedIn(answer.output) ?? units
      if (isWrite) unitsOf.set(item, units)
      return answer
    } finally {
      calls[isWrite ? 'writeUnits' : 'readUnits'] += units
    }
  }
}

/** One capacity, or a list of them for several tables. */
const consumedIn = (output: object): number | undefined => {
  const consumed: unknown = 'ConsumedCapacity' in output ? output.ConsumedCapacity : undefined
  const each: readonly unknown[] = Array.isArray(consumed) ? consumed : [consumed]
  const units = each.flatMap((one) =>
    typeof one === 'object' && one !== null && 'CapacityUnits' in one ? [Number(one.CapacityUnits)] : [],
  )
  return units.length === 0 ? undefined : units.reduce((sum, one) => sum + one, 0)
}
