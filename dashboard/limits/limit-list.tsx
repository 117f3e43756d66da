import './limits.css'
import type { Limit } from '../api/responses.ts'
import { amountText, isMoney } from '../parts/amounts.ts'
import { type LimitInput, METER_NAMES, sourceText } from './limit-text.ts'
import { entrySize, type ScheduleEntry, timesText } from './schedule-draft.ts'
import { sizeText } from './size-forms.ts'

interface LimitListProps {
  readonly limits: readonly Limit[]
  /** Show the source of each limit. */
  readonly hasSources?: boolean
}

/** Limits in words, without available amounts. */
export const LimitList = ({ limits, hasSources = false }: LimitListProps) => (
  <ul class="limit-words">
    {limits.map((limit) => (
      <li key={limit.name}>
        <strong class="mono">{limit.name}</strong>
        <span class="number">
          {limitSentence(limit)}{' '}
          {limit.mode !== undefined && limit.mode !== 'enforce' && <span class="tag warn">{limit.mode}</span>}{' '}
          {hasSources && <span class="tag">{sourceText(limit.source)}</span>}
          {limit.schedule?.map((entry) => (
            <span key={timesText(entry)} class="limit-entry small quiet">
              {entryText(limit, entry)}
            </span>
          ))}
        </span>
      </li>
    ))}
  </ul>
)

/** An entry of a schedule with the size of its limit: `100 per day (UTC), every day 22:00–06:00 (Europe/Berlin)`. */
export const entryText = (limit: Omit<LimitInput, 'schedule'>, entry: ScheduleEntry): string =>
  `${sizeText({ ...limit, ...entrySize(limit, entry) })}, ${timesText(entry)}`

type Sized = Pick<
  Limit,
  | 'name'
  | 'meter'
  | 'algorithm'
  | 'capacity'
  | 'refill_rate'
  | 'limit'
  | 'window_seconds'
  | 'window'
  | 'time_zone'
>

/**
 * The size of a limit with what it counts: `60 requests, refilled 60 per minute`, `50 requests in any 1 h`,
 * `$5.00 per day (UTC)`, `paused`.
 */
export const limitSentence = (limit: Sized): string => sizeText(limit, countedText)

const countedText = (meter: Limit['meter'], amount: number): string => {
  const text = amountText(meter, amount)
  if (isMoney(meter)) return text
  return `${text} ${amount === 1 ? METER_NAMES[meter].replace(/s$/, '') : METER_NAMES[meter]}`
}
