import type { Command } from 'commander'
import { ownLimitsResponse } from '../../src/contract/checks.ts'
import { availabilityResponse, healthResponse, trafficResponse } from '../../src/contract/dashboard.ts'
import { rateLimitStatsResponse } from '../../src/contract/rate-limit.ts'
import type { ApiClient } from '../api/client.ts'
import { ownStatesOf, printBuckets, printStates } from '../limits/state-text.ts'
import { fieldsText } from '../output/table.ts'
import type { Session } from '../session.ts'
import { examples, type RequestOptions, withRequest } from './common.ts'
import { identityOf } from './whoami.ts'

/** `zael status`. */
export const defineStatus = (status: Command, session: Session): void => {
  withRequest(status, 'default: the server; with the key of a caller, its own entity')
    .addHelpText(
      'after',
      examples('zael status', 'zael status key-ci', 'zael status key-ci --resource gpt-4o'),
    )
    .action(async (entity: string | undefined, query: RequestOptions) => {
      const api = await session.api()
      if (entity !== undefined) {
        const path = ['api', 'dashboard', 'availability', entity]
        return printBuckets(session, await api.request({ path, query: { ...query } }, availabilityResponse))
      }
      const health = await api.request({ path: ['health'], query: { deep: '1' } }, healthResponse)
      const { kind } = await identityOf(api)
      if (kind === 'caller') {
        const own = await api.request({ path: ['v1', 'limits'], query: { ...query } }, ownLimitsResponse)
        return printStates(session, own, ownStatesOf(own))
      }
      await printServer(session, api, { ...health, role: kind })
    })
}

interface ServerState {
  readonly status: string
  readonly node_id: string | null
  readonly version: string
  readonly role: string
}

const printServer = async (session: Session, api: ApiClient, state: ServerState): Promise<void> => {
  const entities = await api.request({ path: ['api', 'ratelimit', 'stats'] }, rateLimitStatsResponse)
  const traffic = await api.request({ path: ['api', 'dashboard', 'stats'] }, trafficResponse)
  const body = { url: api.url, ...state, entities, traffic }
  session.print(body, () =>
    fieldsText(
      {
        url: api.url,
        status: state.status,
        node: state.node_id,
        version: state.version,
        role: state.role,
        'entities with usage': entities.total_tracked_keys,
        'entities with own limits': entities.total_configured_keys,
        'entities partly used': entities.active_keys,
        'admitted in 24 hours': traffic.admitted,
        'denied in 24 hours': traffic.denied,
        'most denied': traffic.top_denied
          .slice(0, 3)
          .map(({ entity_id, denied }) => `${entity_id} (${denied})`)
          .join(', '),
      },
      session.style,
    ),
  )
}
