import { Defaults } from '../defaults/defaults.tsx'
import { EntityView } from '../entity/entity-view.tsx'
import { Overview } from '../overview/overview.tsx'
import { Policies } from '../policies/policies.tsx'
import { PolicyCheck } from '../policy-check/policy-check.tsx'
import { Stats } from '../stats/stats.tsx'
import { TryIt } from '../try-it/try-it.tsx'
import { NotFound } from './not-found.tsx'
import type { Route } from './route.ts'

/** The view of a route; that of another entity is another view. */
export const View = ({ route }: { readonly route: Route }) => {
  switch (route.view) {
    case 'overview':
      return <Overview />
    case 'entity':
      return <EntityView key={route.id} id={route.id} section={route.section ?? 'limits'} />
    case 'try':
      return <TryIt key={route.id} id={route.id} />
    case 'policy-check':
      return <PolicyCheck />
    case 'policies':
      return <Policies />
    case 'defaults':
      return <Defaults />
    case 'stats':
      return <Stats />
    case 'unknown':
      return <NotFound address={route.address} />
  }
}
