import type { Environment } from './settings.ts'

/** Only zael's settings may begin with one of these, so that a misspelt name is rejected. */
const RESERVED_PREFIXES = ['ZAEL_', 'UPSTREAM_', 'LEASE_', 'STORE_', 'SIMULATED_', 'JWT_']

/** Settings of the command line, which a shell may export for it and a server alike. */
const CLIENT_NAMES = ['ZAEL_URL', 'ZAEL_TOKEN']

/** Variables for secrets of upstreams, whose names the operator chooses. */
const SECRET_PREFIX = 'UPSTREAM_SECRET_'

/** Variables of other programs are often one edit away from a shorter name (`PORTS`, `HOSTS`). */
const SHORTEST_GUARDED_NAME = 9

/** Names in the environment that resemble a setting but are not one, each with the nearest of the `known` names. */
export const mistakenNames = (
  environment: Environment,
  known: readonly string[],
): readonly { readonly name: string; readonly nearest: string }[] =>
  Object.keys(environment)
    .filter((name) => ![...known, ...CLIENT_NAMES].includes(name))
    .filter((name) => isReserved(name) || isNearly(name, known))
    .map((name) => ({ name, nearest: nearestTo(name, known) }))

const isReserved = (name: string): boolean =>
  RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) && !name.startsWith(SECRET_PREFIX)

const isNearly = (name: string, known: readonly string[]): boolean =>
  known.some((setting) => setting.length >= SHORTEST_GUARDED_NAME && isOneEditFrom(setting, name))

/**
 * Whether `editDistance` is 1: what differs between the common start and the common end is one character on either side or on
 * one, or two neighbours that are swapped. The distances of all variables of an environment would take 20 ms of each start.
 */
const isOneEditFrom = (a: string, b: string): boolean => {
  if (Math.abs(a.length - b.length) > 1) return false
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start++
  let end = 0
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const [inA, inB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  const isSwap = inA.length === 2 && inA[0] === inB[1] && inA[1] === inB[0]
  return isSwap || Math.max(inA.length, inB.length) === 1
}

const nearestTo = (name: string, known: readonly string[]): string => {
  const plain = name.replace(/^ZAEL_/, '')
  const distances = known.map((setting) => editDistance(setting, plain))
  return known[distances.indexOf(Math.min(...distances))] ?? ''
}

/** The number of insertions, deletions, substitutions and swaps of neighbours from `a` to `b` (optimal string alignment). */
const editDistance = (a: string, b: string): number => {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(
        Math.min(
          at(current, column - 1) + 1,
          at(last, column) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY
