import type { Upstream } from '../../core/model/upstream.ts'
import { createUpstreamClient, type UpstreamClient, type UpstreamClientOptions } from './upstream-client.ts'

/** The clients of all upstreams, created with the first request to each. */
export interface UpstreamClients {
  /** The client of an upstream with this configuration: one with an earlier configuration is closed once it is idle. */
  clientOf(upstream: Upstream): UpstreamClient
  /** Closes all connections at once. */
  close(): Promise<void>
}

interface Known {
  readonly settings: string
  readonly client: UpstreamClient
  /** The same upstream may be read anew. */
  upstream: Upstream
}

export const createUpstreamClients = (options: UpstreamClientOptions): UpstreamClients => {
  const clients = new Map<string, Known>()
  return {
    clientOf(upstream) {
      const known = clients.get(upstream.name)
      if (known?.upstream === upstream) return known.client
      const settings = settingsOf(upstream)
      if (known?.settings === settings) {
        known.upstream = upstream
        return known.client
      }
      // responses in progress continue on its connections
      void known?.client.retire()
      const client = createUpstreamClient(upstream, options)
      clients.set(upstream.name, { settings, client, upstream })
      return client
    },
    async close() {
      await Promise.all([...clients.values()].map(({ client }) => client.close()))
    },
  }
}

/** All that a client depends on. */
const settingsOf = ({ createdAt: _, ...settings }: Upstream): string => JSON.stringify(settings)
