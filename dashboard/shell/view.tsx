import { AlertsView } from '../alerts/alerts.tsx'
import { DefaultsView } from '../defaults/defaults.tsx'
import { EntityView } from '../entity/entity-view.tsx'
import { Overview } from '../overview/overview.tsx'
import { EmptyState } from '../parts/notices.tsx'
import { hrefOf, type Route } from '../parts/route.ts'
import { PoliciesView } from '../policies/policies.tsx'
import { PolicyCheckView } from '../policy-check/policy-check.tsx'
import { StatsView } from '../stats/stats.tsx'
import { TryItView } from '../try-it/try-it.tsx'

/** The view of a route. Each entity has its own state (`key`). */
export const View = ({ route }: { readonly route: Route }) => {
  switch (route.view) {
    case 'overview':
      return <Overview />
    case 'entity':
      return <EntityView key={route.id} id={route.id} section={route.section ?? 'limits'} />
    case 'try':
      return <TryItView key={route.id} id={route.id} />
    case 'policy-check':
      return <PolicyCheckView />
    case 'policies':
      return <PoliciesView />
    case 'defaults':
      return <DefaultsView />
    case 'alerts':
      return <AlertsView />
    case 'stats':
      return <StatsView />
    case 'unknown':
      return <NotFound address={route.address} />
  }
}

/** The view of an unknown address. */
export const NotFound = ({ address }: { readonly address: string }) => (
  <>
    <header class="view-head">
      <h1>Page not found</h1>
    </header>
    <section class="card">
      <EmptyState title={`There is no page at #/${address}`}>
        <p>
          The link may be mistyped or out of date.{' '}
          <a href={hrefOf({ view: 'overview' })}>Go to the overview</a>
        </p>
      </EmptyState>
    </section>
  </>
)
