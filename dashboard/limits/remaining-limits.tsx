import { amountText } from '../parts/amounts.ts'
import { Bar, isPaused } from '../parts/bar.tsx'
import { spanText } from '../parts/time.ts'

/** The state of a limit, without its definition. */
export interface RemainingLimit {
  readonly name: string
  readonly meter?: string | undefined
  readonly capacity: number
  readonly available: number
  readonly reset_after_seconds: number
}

/** What is left of each limit, and when it is full again. */
export const RemainingLimits = ({ limits }: { readonly limits: readonly RemainingLimit[] }) => (
  <ul class="remaining-limits">
    {limits.map((limit) => (
      <li key={limit.name}>
        <strong class="mono">{limit.name}</strong>
        <Bar available={limit.available} capacity={limit.capacity} />
        <p class="number small">
          <RemainingText {...limit} />
        </p>
      </li>
    ))}
  </ul>
)

const RemainingText = ({ meter, capacity, available, reset_after_seconds: reset }: RemainingLimit) => {
  if (isPaused(capacity)) return 'paused'
  return (
    <>
      {amountText(meter, available)} of {amountText(meter, capacity)} left
      {reset > 0 && <span class="quiet">, full in {spanText(reset)}</span>}
    </>
  )
}
