import type { Traffic } from '../api/answers.ts'
import { numberText } from '../parts/numbers/number-text.ts'

type Granularity = Traffic['granularity']

export const PERIODS: readonly (readonly [Granularity, string])[] = [
  ['hour', 'Last 24 hours'],
  ['day', 'Last 30 days'],
]

/** `in the last 24 hours` */
export const periodText = (granularity: Granularity): string =>
  granularity === 'hour' ? 'in the last 24 hours' : 'in the last 30 days'

/** What share of all that was asked was denied: `12.5 %`; – where nothing was asked. */
export const deniedShareText = ({ admitted, denied }: Pick<Traffic, 'admitted' | 'denied'>): string => {
  const asked = admitted + denied
  return asked === 0 ? '–' : percentText((denied / asked) * 100)
}

const PERCENTS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `percent` as text; what is more than nothing never shows as 0. */
export const percentText = (percent: number): string =>
  percent > 0 && percent < 0.1 ? '< 0.1 %' : `${PERCENTS.format(percent)} %`

/** What was left out; undefined where nothing was. */
export const partialText = ({
  is_partial,
  entities_read,
}: Pick<Traffic, 'is_partial' | 'entities_read'>): string | undefined =>
  is_partial
    ? `There are too many entities to read all of them: these numbers cover the first ${numberText(entities_read)} by id.`
    : undefined
