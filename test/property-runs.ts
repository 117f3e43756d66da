/**
 * How many times as many examples of each property are tried as its test states: a third by default, so that `npm test` stays
 * fast, or what PROPERTY_RUNS says, as in `.ci/run`.
 */
const FACTOR = Number(process.env.PROPERTY_RUNS ?? 1 / 3)

/** The number of examples of a property, for fast-check's `numRuns`. */
export const runs = (count: number): number => Math.ceil(count * FACTOR)
