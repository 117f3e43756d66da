const SECOND_NS = 1_000_000_000n
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/

/** ns since the epoch as ISO 8601 with nine digits of a second, so that text sorts by time. */
export const toIsoTime = (ns: bigint): string => {
  const seconds = new Date(Number(ns / SECOND_NS) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % SECOND_NS).padStart(9, '0')}Z`
}

/** ns since the epoch; undefined where `text` is no time in UTC. */
export const fromIsoTime = (text: string): bigint | undefined => {
  const [, seconds, fraction = ''] = ISO.exec(text) ?? []
  const ms = seconds === undefined ? Number.NaN : Date.parse(`${seconds}Z`)
  return Number.isNaN(ms) ? undefined : BigInt(ms / 1000) * SECOND_NS + BigInt(fraction.padEnd(9, '0'))
}

/** The UTC day of a time, as `2026-01-31`. */
export const dayOf = (ns: bigint): string => toIsoTime(ns).slice(0, 10)
