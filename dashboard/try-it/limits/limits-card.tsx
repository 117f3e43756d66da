import { Bar } from '../../parts/bar.tsx'
import { Empty } from '../../parts/empty.tsx'
import { numberText } from '../../parts/numbers/number-text.ts'
import { spanText } from '../../parts/time.ts'
import { OwnerName } from '../owner-name.tsx'
import type { LimitState, OwnedLimits } from './owned-limits.ts'
import type { WatchedLimits } from './use-limits.ts'

/** Every limit that the request meets, refilling. */
export const LimitsCard = ({ about, owned, error }: WatchedLimits) => (
  <section class="card" aria-labelledby="try-limits">
    <h2 id="try-limits">Limits it meets</h2>
    {error !== undefined && <p class="limits-error">{error}</p>}
    {owned?.map((each) => (
      <Owned key={each.owner} {...each} />
    ))}
    {owned?.length === 0 && <p class="quiet">None: every request passes.</p>}
    {about === undefined && (
      <Empty title="Nobody is named yet">Choose an entity or paste a key, and its limits show here.</Empty>
    )}
  </section>
)

const Owned = ({ owner, limits }: OwnedLimits) => (
  <div class="owned-limits">
    <h3>
      <OwnerName id={owner} />
    </h3>
    <ul class="limit-bars">
      {limits.map((limit) => (
        <LimitBar key={`${limit.resource} ${limit.limit_name}`} {...limit} />
      ))}
    </ul>
  </div>
)

const LimitBar = ({ limit_name, available, capacity, reset_after_seconds }: LimitState) => (
  <li class="limit-bar">
    <span class="mono">{limit_name}</span>
    <span class="number limit-available">
      <strong>{numberText(available)}</strong>
      <span class="quiet"> of {numberText(capacity)}</span>
    </span>
    <Bar available={available} capacity={capacity} />
    <span class="number quiet limit-full">
      {available >= capacity ? 'full' : `full in ${spanText(reset_after_seconds)}`}
    </span>
  </li>
)
