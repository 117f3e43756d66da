import { SIGNING_SERVICES, UPSTREAM_KINDS, type Upstream } from '../../../core/model/upstream.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { createItemReader, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { INDEXED, idOf, upstreamKey } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import type { TableWrites } from '../table-writes.ts'
import { createNamedItems } from './named-items.ts'

/** The META item of an upstream, in the index of all upstreams. Null fields are left out. */
const upstreamItem = (upstream: Upstream): StoredItem => {
  const { name, baseUrl, region, signingService, secret, timeouts, adaptive } = upstream
  return toItem({
    ...upstreamKey(name),
    GSI1PK: INDEXED.upstreams,
    GSI1SK: name,
    kind: upstream.kind,
    ...(baseUrl !== null && { base_url: baseUrl }),
    ...(region !== null && { region }),
    ...(signingService !== null && { signing_service: signingService }),
    ...(secret !== null && { secret }),
    headers: upstream.headers,
    connect_timeout_seconds: timeouts.connectSeconds,
    first_byte_timeout_seconds: timeouts.firstByteSeconds,
    idle_timeout_seconds: timeouts.idleSeconds,
    total_timeout_seconds: timeouts.totalSeconds,
    ...(adaptive !== null && { adaptive_floor: adaptive.floor }),
    created_at: toIsoTime(upstream.createdAt),
    version: upstream.version,
  })
}

/** Throws an error that names the item if it is unreadable. */
const toUpstream = (item: StoredItem): Upstream => {
  const read = createItemReader(item)
  return {
    name: idOf(read.text('PK')),
    kind: read.word('kind', UPSTREAM_KINDS),
    baseUrl: read.textOrNull('base_url'),
    region: read.textOrNull('region'),
    signingService: read.has('signing_service') ? read.word('signing_service', SIGNING_SERVICES) : null,
    secret: read.textOrNull('secret'),
    headers: read.textMap('headers'),
    timeouts: {
      connectSeconds: read.number('connect_timeout_seconds'),
      firstByteSeconds: read.number('first_byte_timeout_seconds'),
      idleSeconds: read.number('idle_timeout_seconds'),
      totalSeconds: read.number('total_timeout_seconds'),
    },
    adaptive: read.has('adaptive_floor') ? { floor: read.number('adaptive_floor') } : null,
    createdAt: read.time('created_at'),
    // absent from items that were written before they had it
    version: read.has('version') ? read.integer('version') : 0n,
  }
}

type Upstreams = Pick<AdminStore, 'upstream' | 'putUpstream' | 'deleteUpstream' | 'listUpstreams'>

/** Upstreams in the table, listed by the index. */
export const createUpstreams = (reads: TableReads, writes: TableWrites): Upstreams => {
  const { get, put, remove, list } = createNamedItems(reads, writes, {
    listed: INDEXED.upstreams,
    keyOf: upstreamKey,
    toItem: upstreamItem,
    fromItem: toUpstream,
  })
  return { upstream: get, putUpstream: put, deleteUpstream: remove, listUpstreams: list }
}
