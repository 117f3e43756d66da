/**
 * The factor of the number of examples that each property's test states: a third by default, so that `npm test` stays
 * fast, or PROPERTY_RUNS, as in `.ci/run`.
 */
const FACTOR = Number(process.env.PROPERTY_RUNS ?? 1 / 3)

/** The number of examples of a property, for fast-check's `numRuns`. */
export const runs = (count: number): number => Math.ceil(count * FACTOR)
