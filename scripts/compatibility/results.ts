import { type ClientProgram, FEATURES, type Feature } from './clients.ts'
import type { ClientResult } from './run-client.ts'

/** `yes`: all checks of the feature passed in this run. */
export type Cell =
  | { readonly kind: 'yes' | 'not offered' }
  | { readonly kind: 'no'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** A client with the result of every feature. */
export interface Row {
  readonly client: ClientProgram
  readonly version: string
  readonly cells: Readonly<Record<Feature, Cell>>
}

const cellOf = ({ client, checks }: ClientResult, feature: Feature): Cell => {
  const own = checks.filter((check) => check.feature === feature)
  if (own.length === 0) return { kind: 'not offered' }
  const failed = own.find(({ reason }) => reason !== undefined)
  const limitation = client.limitations[feature]
  if (limitation?.failure.test(failed?.reason ?? '')) return { kind: 'no', reason: limitation.reason }
  if (failed !== undefined) return { kind: 'failed', reason: `${failed.target}: ${failed.reason}` }
  if (limitation === undefined) return { kind: 'yes' }
  return { kind: 'failed', reason: `passes, although it is listed as a limitation: ${limitation.reason}` }
}

export const rowOf = (result: ClientResult, version: string): Row => {
  const cells = Object.fromEntries(FEATURES.map((feature) => [feature, cellOf(result, feature)]))
  return { client: result.client, version, cells: cells as Row['cells'] }
}

/** The counts in the format of vitest's JSON report. */
export const reportOf = (rows: readonly Row[]) => {
  const kinds = rows.flatMap(({ cells }) => FEATURES.map((feature) => cells[feature].kind))
  const numPassedTests = kinds.filter((kind) => kind === 'yes' || kind === 'no').length
  const numFailedTests = kinds.filter((kind) => kind === 'failed').length
  return { numPassedTests, numFailedTests, success: numFailedTests === 0 && numPassedTests > 0 }
}

/** One line per client and one per cell that is not `yes`. */
export const linesOf = ({ client, version, cells }: Row): readonly string[] => {
  const passed = FEATURES.filter((feature) => cells[feature].kind === 'yes')
  const others = FEATURES.flatMap((feature) => {
    const cell = cells[feature]
    return 'reason' in cell ? [`    ${feature}: ${cell.kind === 'no' ? 'no' : 'FAILED'}: ${cell.reason}`] : []
  })
  return [`${client.name} ${version}: ${passed.join(', ')}`, ...others]
}
