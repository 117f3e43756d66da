import type { LimitState } from '../../core/decide/decision.ts'
import type { Meter } from '../../core/model/meter.ts'

const METER_WORDS: Readonly<Record<Meter, readonly [plural: string, initials: string]>> = {
  requests: ['requests', 'R'],
  tokens: ['tokens', 'T'],
  input_tokens: ['input tokens', 'IT'],
  output_tokens: ['output tokens', 'OT'],
  cost_usd_micros: ['micro-dollars', 'USD'],
}

const WINDOWS: readonly (readonly [seconds: number, word: string, initial: string])[] = [
  [1, 'sec', 'S'],
  [60, 'min', 'M'],
  [3600, 'hour', 'H'],
  [86_400, 'day', 'D'],
  [604_800, 'week', 'W'],
]
const MONTH_DAYS = { least: 28, most: 31 }

/** What a limit counts, in OpenAI's words: `requests per min (RPM)`, `tokens per day (TPD)`, `requests per 90s`. */
export const limitWording = ({ limit, windowNs }: LimitState): string => {
  const [plural, initials] = METER_WORDS[limit.meter]
  const seconds = Number(windowNs) / 1e9
  const usual = WINDOWS.find(([length]) => Math.abs(seconds - length) <= length / 1000)
  if (usual !== undefined) return `${plural} per ${usual[1]} (${initials}P${usual[2]})`
  return `${plural} per ${isMonth(seconds / 86_400) ? 'month' : `${Number(seconds.toPrecision(4))}s`}`
}

const isMonth = (days: number): boolean => days >= MONTH_DAYS.least && days <= MONTH_DAYS.most
