import { pausedText } from '../limits/limit-text.ts'
import { amountText, type Meter } from '../parts/amounts.ts'
import { Bar, isPaused } from '../parts/bar.tsx'
import { EmptyState } from '../parts/notices.tsx'
import { hrefOf } from '../parts/route.ts'
import { spanText } from '../parts/time.ts'
import {
  type LimitState,
  type Meters,
  meterKey,
  type OwnedLimits,
  type WatchedLimits,
} from './watched-limits.ts'

/** All limits that apply to the request, refreshed as they refill. */
export const LimitsCard = ({ about, owned, error, meters }: WatchedLimits) => (
  <section class="card" aria-labelledby="try-limits">
    <h2 id="try-limits">Limits that apply</h2>
    {error !== undefined && <p class="limits-error">{error}</p>}
    {owned?.map((each) => (
      <OwnerLimits key={each.owner} {...each} meters={meters} />
    ))}
    {owned?.length === 0 && <p class="quiet">No limits: every request passes.</p>}
    {about === undefined && (
      <EmptyState title="No caller yet">Choose an entity or paste a key to see its limits.</EmptyState>
    )}
  </section>
)

const OwnerLimits = ({ owner, limits, meters }: OwnedLimits & { readonly meters: Meters }) => (
  <div class="owned-limits">
    <h3>
      <OwnerName id={owner} />
    </h3>
    <ul class="limit-bars">
      {limits.map((limit) => (
        <LimitBar
          key={`${limit.resource} ${limit.limit_name}`}
          {...limit}
          meter={meters.get(meterKey(limit))}
        />
      ))}
    </ul>
  </div>
)

type LimitBarProps = LimitState & { readonly meter: Meter | undefined }

const LimitBar = ({ limit_name, meter, available, capacity, reset_after_seconds }: LimitBarProps) => (
  <li class="limit-bar">
    <span class="mono limit-bar-name">{limit_name}</span>
    <span class="number limit-available">
      {isPaused(capacity) ? (
        <span class="tag bad">paused</span>
      ) : (
        <>
          <strong>{amountText(meter, available)}</strong>{' '}
          <span class="quiet">of {amountText(meter, capacity)}</span>
        </>
      )}
    </span>
    <Bar available={available} capacity={capacity} />
    <span class="number quiet limit-full">
      {isPaused(capacity) ? pausedText(meter) : fullText(available, capacity, reset_after_seconds)}
    </span>
  </li>
)

const fullText = (available: number, capacity: number, resetSeconds: number): string =>
  available >= capacity ? 'full' : `full in ${spanText(resetSeconds)}`

const POLICY = /^POLICY:([^:]+):(.+)$/

/** The owner of a limit: an entity, or a policy by its scope and selector. */
export const OwnerName = ({ id }: { readonly id: string }) => {
  const [, scope, selector] = POLICY.exec(id) ?? []
  if (scope === undefined) return <a href={hrefOf({ view: 'entity', id })}>{id}</a>
  return (
    <a href={hrefOf({ view: 'policies' })}>
      {scope} {selector}
    </a>
  )
}
