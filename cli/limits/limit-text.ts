import type * as v from 'valibot'
import { reasonOf } from '../../src/command-line/failure.ts'
import type { limitResponse } from '../../src/contract/limits.ts'
import { usageError } from '../failure.ts'
import { type Host, textOf } from '../host.ts'
import { type Column, numberText } from '../output/table.ts'
import { durationText } from '../output/times.ts'

export type LimitJson = v.InferOutput<typeof limitResponse>

export const LIMIT_HELP = `
A limit is <name>=<amount>/<second|minute|hour|day>, as rpm=10/minute or tpm=1000/minute: a bucket of that capacity,
refilled within that time. Names that imply a meter are tpm, tph, tpd (tokens), itpm (input) and otpm (output);
others count requests. Any other limit is JSON, or is in a file: '{"name": "monthly", "algorithm": "fixed_window",
"limit": 1000000, "window": "month", "meter": "tokens"}'`

const SHORT = /^([a-z][a-z0-9_]*)=(\d{1,16})\/(second|minute|hour|day)$/

/** The JSON of one limit in an argument: `rpm=10/minute`, or an object. Throws `CliError`. The server checks the fields. */
export const readLimit = (text: string): unknown => {
  if (text.trimStart().startsWith('{')) return jsonOf(text, `the limit ${text}`)
  const [, name, limit, per] = SHORT.exec(text) ?? []
  if (name === undefined)
    throw usageError(
      `"${text}" is no limit: it must be <name>=<whole number>/<second|minute|hour|day>, like rpm=10/minute, or a JSON object; see --help`,
    )
  return { name, limit: Number(limit), per }
}

const MOST_FILE_BYTES = 4 * 1_048_576

/** The JSON of a file; `-` is stdin. Throws `CliError`. */
export const readJsonFile = async ({ stdin, readFile }: Host, path: string): Promise<unknown> => {
  if (path === '-') return jsonOf((await textOf(stdin, MOST_FILE_BYTES)) ?? '', 'stdin')
  const text = await readFile(path).catch((error: unknown) => {
    throw usageError(`--file ${path} cannot be read: ${reasonOf(error)}`)
  })
  return jsonOf(text, path)
}

const jsonOf = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw usageError(`${what} must be JSON`)
  }
}

/** The limits of arguments, or of a file with a list or with an object that has `limits`. */
export const readLimits = async (
  host: Host,
  texts: readonly string[],
  file: string | undefined,
): Promise<unknown> => {
  if (texts.length > 0 && file !== undefined) throw usageError('give limits or --file, not both')
  if (texts.length === 0 && file === undefined)
    throw usageError('give at least one limit, such as rpm=10/minute, or --file; see --help')
  if (file === undefined) return texts.map(readLimit)
  const json = await readJsonFile(host, file)
  const limits = typeof json === 'object' && json !== null && 'limits' in json ? json.limits : json
  return Array.isArray(limits) ? limits.map(withoutShown) : limits
}

/** A limit without the fields that only responses have, so that what `show --json` prints can be given. */
const withoutShown = (limit: unknown): unknown => {
  if (typeof limit !== 'object' || limit === null) return limit
  return Object.fromEntries(
    Object.entries(limit).filter(([field]) => field !== 'source' && field !== 'schedule_state'),
  )
}

const PERIODS: Readonly<Record<string, string>> = {
  '1s': 'second',
  '1m': 'minute',
  '1h': 'hour',
  '1d': 'day',
}

/** `10/minute`, as it can be given, or `10 per 30s`. */
const bucketText = (amount: string, seconds: number): string => {
  const duration = durationText(seconds)
  const period = PERIODS[duration]
  return period === undefined ? `${amount} per ${duration}` : `${amount}/${period}`
}

/** The size of a limit in a few words: `10/minute`, `1000 in any 1h`, `500 per month (UTC)`, `5 at once`. */
export const sizeText = (limit: LimitJson): string => {
  const { algorithm, capacity, refill_rate: rate = 0, window_seconds: seconds = 0 } = limit
  const amount = numberText(capacity)
  if (capacity === 0) return 'paused'
  if (algorithm === 'concurrency') return `${amount} at once`
  if (algorithm === 'sliding_window') return `${amount} in any ${durationText(seconds)}`
  if (algorithm === 'token_bucket') return bucketText(amount, capacity / rate)
  if (limit.window === 'first_use') return `${amount} in ${durationText(seconds)} from first use`
  return `${amount} per ${limit.window} (${limit.time_zone ?? 'UTC'})`
}

export const LIMIT_COLUMNS: readonly Column<LimitJson>[] = [
  { heading: 'LIMIT', cell: ({ name }) => name },
  { heading: 'METER', cell: ({ meter }) => meter },
  { heading: 'SIZE', cell: sizeText },
  { heading: 'MODE', cell: ({ mode }) => mode ?? 'enforce' },
  { heading: 'SOURCE', cell: ({ source }) => source },
]
