import type { LimitSize } from '../model/limit.ts'
import type { Algorithm, AlgorithmDefinition } from './algorithm.ts'
import { concurrency } from './concurrency.ts'
import { fixedWindow } from './fixed-window.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** An algorithm, whatever its size is. */
interface Registered {
  create(size: LimitSize): Algorithm
  parse(text: string): Algorithm | undefined
  scaled(size: LimitSize, share: number): LimitSize
  period(size: LimitSize, windowSeconds: number): string
}

const registry = new Map<string, Registered>()

/** Registers an algorithm, for sizes and for the texts in buckets. */
export const registerAlgorithm = <Size extends LimitSize>(definition: AlgorithmDefinition<Size>): void => {
  const own = (size: LimitSize): Size => {
    if (isOf(size, definition)) return size
    throw new Error(`a size of ${size.algorithm} is not one of ${definition.name}`)
  }
  registry.set(definition.name, {
    create: (size) => definition.create(own(size)),
    parse: definition.parse,
    scaled: (size, share) => definition.scaled(own(size), (amount) => partOf(amount, share), share),
    period: (size, windowSeconds) => definition.period(own(size), windowSeconds),
  })
}

const isOf = <Size extends LimitSize>(size: LimitSize, { name }: AlgorithmDefinition<Size>): size is Size =>
  size.algorithm === name

/** Never less than 1, unless the limit is paused. */
const partOf = (amount: number, share: number): number =>
  Math.max(Math.min(1, amount), Math.floor(amount * share))

// the one list of algorithms; their JSON is in `contract/limit-sizes.ts`
registerAlgorithm(tokenBucket)
registerAlgorithm(slidingWindow)
registerAlgorithm(fixedWindow)
registerAlgorithm(concurrency)

const registered = (size: LimitSize): Registered => {
  const found = registry.get(size.algorithm)
  if (found === undefined) throw new Error(`no algorithm is registered as ${size.algorithm}`)
  return found
}

/** The arithmetic of a size. */
export const algorithmOf = (size: LimitSize): Algorithm => registered(size).create(size)

/** The arithmetic of a text in `<limit>_limit`; undefined if it belongs to no algorithm. */
export const algorithmOfText = (text: string): Algorithm | undefined => {
  for (const { parse } of registry.values()) {
    const algorithm = parse(text)
    if (algorithm !== undefined) return algorithm
  }
  return undefined
}

/** A `share` (0 to 1) of a size, which one process may admit by itself; at least 1, unless the limit is paused. */
export const scaled = (size: LimitSize, share: number): LimitSize => registered(size).scaled(size, share)

/** The period of a size in messages: `in the last 3600 seconds`. */
export const periodText = (size: LimitSize, windowSeconds: number): string =>
  registered(size).period(size, windowSeconds)
