import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** Calls to the engine so far by kind, including failed conditions, and the units that DynamoDB bills for them. */
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

/** An applied write, as a stream record describes it. */
export interface AppliedWrite {
  readonly key: Image
  readonly old: Image | undefined
  readonly new: Image
  /** Wall clock. */
  readonly atMs: number
}

export type Image = Readonly<Record<string, AttributeValue>>

const COUNTED = /^(Update|Get|BatchGet|Query)/

/**
 * Counts each call of a client as it is sent, without affecting the measurement. `onWrite` receives the writes that
 * request the new image; no other client may write to these items.
 */
export const countCalls = (
  sdk: DynamoDBClient,
  calls: Calls,
  onWrite: (write: AppliedWrite) => void = () => {},
): void => {
  const bill = createBill(calls)
  const images = new Map<string, Image>()
  const report = (key: Image, image: Image): void => {
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
        const response = await bill(commandName, JSON.stringify(key), next({ ...args, input }))
        if ('Attributes' in response.output && response.output.Attributes)
          report(key, response.output.Attributes)
        return response
      },
    { step: 'initialize', name: 'countCalls' },
  )
}

/**
 * The engine returns the units of a call, which depend on the size of the item. A failed condition returns none; it is
 * billed like the item's last write, or 1 unit if there was none.
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
      const response = await call
      units = consumedIn(response.output) ?? units
      if (isWrite) unitsOf.set(item, units)
      return response
    } finally {
      calls[isWrite ? 'writeUnits' : 'readUnits'] += units
    }
  }
}

/** One capacity, or a list for several tables. */
const consumedIn = (output: object): number | undefined => {
  const consumed: unknown = 'ConsumedCapacity' in output ? output.ConsumedCapacity : undefined
  const each: readonly unknown[] = Array.isArray(consumed) ? consumed : [consumed]
  const units = each.flatMap((one) =>
    typeof one === 'object' && one !== null && 'CapacityUnits' in one ? [Number(one.CapacityUnits)] : [],
  )
  return units.length === 0 ? undefined : units.reduce((sum, one) => sum + one, 0)
}
