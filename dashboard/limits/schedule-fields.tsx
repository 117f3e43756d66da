import { useId } from 'preact/hooks'
import { CRON_RULE, cronMust, timeAfter } from '../../src/core/model/cron.ts'
import { isMoney } from '../parts/amounts.ts'
import {
  CheckField,
  ChoiceField,
  inputProps,
  LabelledField,
  NumberField,
  TextField,
} from '../parts/fields.tsx'
import type { LimitDraft } from './limit-draft.ts'
import {
  DAY_NAMES,
  DAYS_FROM_MONDAY,
  type EntryDraft,
  mayAddEntry,
  newEntry,
  timesOf,
} from './schedule-draft.ts'
import { draftMeter } from './size-draft.ts'

interface ScheduleFieldsProps {
  readonly draft: LimitDraft
  set(changes: Partial<LimitDraft>): void
  errorOf(...fields: readonly string[]): string | undefined
}

/** Other sizes at some times, closed unless there are some. */
export const ScheduleFields = ({ draft, set, errorOf }: ScheduleFieldsProps) => {
  const { schedule } = draft
  const setEntry = (changed: EntryDraft) =>
    set({ schedule: schedule.map((entry) => (entry.key === changed.key ? changed : entry)) })
  const add = () => {
    const key = Math.max(-1, ...schedule.map((entry) => entry.key)) + 1
    const zone = schedule.at(-1)?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
    set({ schedule: [...schedule, newEntry(key, zone)] })
  }
  return (
    <details class="limit-rules" open={schedule.length > 0}>
      <summary>Other sizes at some times</summary>
      {schedule.length > 1 && <p class="quiet small">Where times overlap, the first in this list holds.</p>}
      {schedule.map((entry, index) => (
        <EntryFields
          key={entry.key}
          title={`Time ${index + 1}`}
          entry={entry}
          amountLabel={isMoney(draftMeter(draft)) ? 'Size then, US dollars' : 'Size then'}
          onEntry={setEntry}
          onRemove={() => set({ schedule: schedule.filter(({ key }) => key !== entry.key) })}
          errorOf={(...fields) => errorOf(...fields.map((field) => `schedule[${index}].${field}`))}
        />
      ))}
      <div class="actions">
        <button class="button small" type="button" disabled={!mayAddEntry(schedule)} onClick={add}>
          Add a time
        </button>
      </div>
    </details>
  )
}

interface EntryProps {
  readonly title: string
  readonly entry: EntryDraft
  readonly amountLabel: string
  onEntry(entry: EntryDraft): void
  onRemove(): void
  errorOf(...fields: readonly string[]): string | undefined
}

const KINDS = [
  ['hours', 'days and hours'],
  ['cron', 'cron expression'],
] as const

const EntryFields = (props: EntryProps) => {
  const { title, entry, amountLabel, onEntry, onRemove, errorOf } = props
  const set = (changes: Partial<EntryDraft>) => onEntry({ ...entry, ...changes })
  return (
    <fieldset class="limit-fields schedule-entry">
      <legend>{title}</legend>
      <button
        class="button small limit-remove"
        type="button"
        aria-label={`Remove ${title}`}
        onClick={onRemove}
      >
        Remove
      </button>
      <div class="fields">
        <ChoiceField
          label="Stated as"
          value={entry.kind}
          options={KINDS}
          onValue={(kind) => set({ kind, ...timesAsCron(entry, kind) })}
        />
        <TextField
          label="In the time zone"
          value={entry.zone}
          required
          error={errorOf('time_zone')}
          hint="for example Europe/Berlin"
          onValue={(zone) => set({ zone })}
        />
        <NumberField
          label={amountLabel}
          value={entry.amount}
          required
          min={0}
          step="any"
          error={errorOf('capacity', 'limit', 'refill_rate')}
          hint="0: paused"
          onValue={(amount) => set({ amount })}
        />
      </div>
      {entry.kind === 'hours' ? <HourFields {...props} set={set} /> : <CronFields {...props} set={set} />}
      <NextTimes entry={entry} />
    </fieldset>
  )
}

/** The cron expression of the days and hours that were chosen before. */
const timesAsCron = (entry: EntryDraft, kind: EntryDraft['kind']): Partial<EntryDraft> => {
  if (kind !== 'cron' || entry.kind === 'cron') return {}
  const { cron, duration_seconds } = timesOf(entry)
  return { cron, hours: String(duration_seconds / 3600) }
}

type TimeProps = EntryProps & { set(changes: Partial<EntryDraft>): void }

const HourFields = ({ entry, set, errorOf }: TimeProps) => (
  <>
    <fieldset class="schedule-days">
      <legend class="field-label">On</legend>
      {DAYS_FROM_MONDAY.map((day) => (
        <CheckField
          key={day}
          label={DAY_NAMES[day]}
          checked={entry.days.includes(day)}
          disabled={entry.days.length === 1 && entry.days.includes(day)}
          onChecked={(isChosen) =>
            set({ days: isChosen ? [...entry.days, day] : entry.days.filter((each) => each !== day) })
          }
        />
      ))}
    </fieldset>
    <div class="fields">
      <ClockField
        label="From"
        value={entry.begins}
        error={errorOf('cron')}
        onValue={(begins) => set({ begins })}
      />
      <ClockField
        label="Until"
        value={entry.ends}
        hint={entry.ends <= entry.begins ? 'on the next day' : undefined}
        error={errorOf('duration_seconds')}
        onValue={(ends) => set({ ends })}
      />
    </div>
  </>
)

interface ClockProps {
  readonly label: string
  readonly value: string
  readonly hint?: string | undefined
  readonly error: string | undefined
  onValue(value: string): void
}

const ClockField = ({ label, value, hint, error, onValue }: ClockProps) => {
  const id = useId()
  return (
    <LabelledField id={id} label={label} hint={hint} error={error} required>
      <input
        {...inputProps(id, error)}
        type="time"
        value={value}
        required
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </LabelledField>
  )
}

const CronFields = ({ entry, set, errorOf }: TimeProps) => (
  <div class="fields">
    <TextField
      label="Begins at (cron)"
      value={entry.cron}
      required
      check={(cron) => (cronMust(cron) === undefined ? undefined : CRON_RULE)}
      error={errorOf('cron')}
      hint="minute, hour, day of the month, month, day of the week"
      onValue={(cron) => set({ cron })}
    />
    <NumberField
      label="Lasts, hours"
      value={entry.hours}
      required
      min={0}
      step="any"
      error={errorOf('duration_seconds')}
      onValue={(hours) => set({ hours })}
    />
  </div>
)

const MS_NS = 1_000_000n

const SHOWN_TIMES = 3

/** The next times of an entry, in its time zone; nothing while it is not valid. */
export const nextTimes = (entry: EntryDraft, now: number): readonly string[] => {
  const { cron, duration_seconds: seconds } = timesOf(entry)
  if (cronMust(cron) !== undefined || !(seconds > 0)) return []
  try {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: entry.zone.trim(),
      ...{ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
    } as const)
    const times: string[] = []
    let at = timeAfter(cron, entry.zone.trim(), BigInt(now) * MS_NS)
    while (at !== undefined && times.length < SHOWN_TIMES) {
      const begins = Number(at / MS_NS)
      times.push(`${format.format(begins)} to ${format.format(begins + seconds * 1000)}`)
      at = timeAfter(cron, entry.zone.trim(), at)
    }
    return times
  } catch {
    // the browser does not know the time zone
    return []
  }
}

const NextTimes = ({ entry }: { readonly entry: EntryDraft }) => {
  const times = nextTimes(entry, Date.now())
  return (
    <p class="quiet small schedule-next" aria-live="polite">
      {times.length === 0 ? 'No times yet: the entry is not valid.' : `Next: ${times.join('; ')}.`}
    </p>
  )
}
