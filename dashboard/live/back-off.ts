const FIRST_MS = 1000
const LONGEST_MS = 30_000

/**
 * How long to wait after `failures` tries in a row (1 and up) that failed: twice as long each time, up to half a
 * minute; by chance (`random`, 0 to 1) up to half of it less, so that not all viewers come back at once.
 */
export const backOffMs = (failures: number, random: number): number => {
  const longest = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS)
  return Math.round(longest * (1 - random / 2))
}
