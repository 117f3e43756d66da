/** How many times as many examples of each property are tried: 1, or what PROPERTY_RUNS says, as in `.ci/run`. */
const FACTOR = Number(process.env.PROPERTY_RUNS ?? 1)

/** The number of examples of a property, for fast-check's `numRuns`. */
export const runs = (count: number): number => Math.ceil(count * FACTOR)
