import { demoData } from '../../seed/demo-data.ts'
import { loadDemoData } from '../../seed/load-demo-data.ts'
import { StartError } from '../../src/command-line/failure.ts'
import { connectTo, isLocalEndpoint, LONG_DEADLINE_MS } from '../../src/compose/connect.ts'
import { administrationOf, administrationOfNewTable } from '../../src/compose/table.ts'
import type { UpstreamsFile } from '../../src/contract/upstreams-file.ts'
import type { AdminDependencies } from '../../src/core/admin/audit.ts'
import { createEntityService } from '../../src/core/admin/entities.ts'
import { createKeyService } from '../../src/core/admin/keys.ts'
import { createLimitSetService } from '../../src/core/admin/limits.ts'
import { ZaelError } from '../../src/core/model/errors.ts'
import { isUsable, masked } from '../../src/core/model/key.ts'
import { DEFAULT_RESOURCE } from '../../src/core/model/limit-set.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { Environment, Settings } from '../../src/settings/settings.ts'
import type { DynamoClient } from '../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { type FileKey, windowLimits } from './api-keys-file.ts'
import type { TableHost } from './table-host.ts'

export interface Preparation {
  readonly settings: Settings
  /** Contains secrets of upstreams. */
  readonly environment: Environment
  /** UPSTREAMS_FILE; undefined: none. */
  readonly upstreams: UpstreamsFile | undefined
  /** Keys of API_KEYS_FILE and API_KEYS_JSON. */
  readonly keys: readonly FileKey[]
  readonly logger: Logger
}

/**
 * Creates the table if it is missing; loads the demo data into a table created on this machine (the demo keys' secrets are
 * public), and API_KEYS_FILE and UPSTREAMS_FILE into any. Throws `StoreUnavailable`, and `StartError` for a part that
 * cannot be loaded.
 */
export const prepareTable = async (host: TableHost, preparation: Preparation): Promise<void> => {
  const { settings, logger } = preparation
  const { tableName } = settings
  const client = connectTo(host)({ deadlineMs: LONG_DEADLINE_MS })
  try {
    const outcome = await ensureTable(client, tableName, { stream: !host.isOwn })
    if (outcome === 'created') await loadDemo(host, { client, tableName, logger })
    await loadFiles(client, preparation)
  } finally {
    client.close()
  }
}

/**
 * Loads API_KEYS_FILE, API_KEYS_JSON and UPSTREAMS_FILE into a table. Throws `StoreUnavailable`, and `StartError` for a part that
 * cannot be loaded.
 */
export const loadFiles = async (client: DynamoClient, preparation: Preparation): Promise<void> => {
  const { settings, keys, logger } = preparation
  const { tableName, windowSeconds } = settings
  const administration = { ...administrationOf(client, tableName), logger }
  await loadApiKeys({ ...administration, windowSeconds }, keys)
  await loadUpstreams(administration, preparation)
}

const loadUpstreams = async (
  administration: Omit<AdminDependencies, 'changed'> & { readonly logger: Logger },
  { settings, environment, upstreams, logger }: Preparation,
): Promise<void> => {
  if (upstreams === undefined) return
  // loaded here: most starts have no such file
  const [{ loadUpstreamsFile }, { createSecretReader, environmentUpstreamOf, processRegionOf }] =
    await Promise.all([import('./upstreams-file.ts'), import('../../src/compose/upstreams.ts')])
  await loadUpstreamsFile(
    {
      ...administration,
      secretReader: createSecretReader(settings, { environment, logger }),
      environmentUpstream: environmentUpstreamOf(settings),
      processRegion: processRegionOf(environment),
    },
    upstreams,
  )
}

interface CreatedTable {
  readonly client: DynamoClient
  readonly tableName: string
  readonly logger: Logger
}

const loadDemo = async (
  { endpoint, isOwn }: TableHost,
  { client, tableName, logger }: CreatedTable,
): Promise<void> => {
  if (isOwn) {
    const table = administrationOfNewTable(client, tableName)
    await loadDemoData(table, demoData)
    await table.write()
  } else if (isLocalEndpoint(endpoint)) await loadDemoData(administrationOf(client, tableName), demoData)
  else logger.warn('table created without demo data: it is loaded on this machine only', { endpoint })
}

const ACTOR = 'api-keys-file'

export interface LoadingDependencies extends Omit<AdminDependencies, 'changed'> {
  readonly logger: Logger
  /** Length of the windows of limits. */
  readonly windowSeconds: number
}

/** Another node that starts with the same file may have created it in the meantime. */
const unlessThere = async (make: () => Promise<unknown>): Promise<void> => {
  try {
    await make()
  } catch (error) {
    if (!(error instanceof ZaelError && error.code === 'conflict')) throw error
  }
}

/**
 * Loads keys into the table: an entity, a key and its limits for each. Existing items remain unchanged, except that
 * different limits are replaced, so any number of nodes may do it concurrently and repeatedly. Throws `StartError` for a key of another entity, and
 * `StoreUnavailable`.
 */
export const loadApiKeys = async (deps: LoadingDependencies, keys: readonly FileKey[]): Promise<void> => {
  const services = servicesOn({ ...deps, changed: () => {} })
  let changed = 0
  for (const key of keys) {
    await services.makeEntity(key)
    await services.makeKey(key)
    if (await services.setLimits(key)) changed += 1
  }
  if (keys.length > 0) deps.logger.info('API keys loaded', { keys: keys.length, limitsChanged: changed })
}

const servicesOn = (deps: LoadingDependencies & AdminDependencies) => {
  const entities = createEntityService(deps)
  const apiKeys = createKeyService(deps, { shortestSecret: 1 })
  const limitSets = createLimitSetService(deps)
  return {
    async makeEntity({ entityId: id, name = id }: FileKey): Promise<void> {
      if ((await deps.store.entity(id)) !== undefined) return
      await unlessThere(() => entities.create({ id, name, kind: 'key' }, ACTOR))
    },
    async makeKey({ entityId, secret }: FileKey): Promise<void> {
      const hash = deps.secrets.hash(secret)
      if ((await deps.store.apiKey(hash)) === undefined) {
        await unlessThere(() => apiKeys.create(entityId, { name: ACTOR, secret }, ACTOR))
      }
      checkKey(deps, { entityId, secret }, await deps.store.apiKey(hash))
    },
    setLimits: (key: FileKey): Promise<boolean> =>
      limitSets.ensure(
        { owner: { kind: 'entity', id: key.entityId }, resource: DEFAULT_RESOURCE },
        windowLimits(key, deps.windowSeconds),
        ACTOR,
      ),
  }
}

type Stored = Awaited<ReturnType<AdminDependencies['store']['apiKey']>>

/** A revoked key remains revoked: a restart must not undo the revocation. */
const checkKey = (
  { clock, logger }: Pick<LoadingDependencies, 'clock' | 'logger'>,
  { entityId, secret }: Pick<FileKey, 'entityId' | 'secret'>,
  stored: Stored,
): void => {
  if (stored !== undefined && stored.entityId !== entityId) {
    throw new StartError(
      `API_KEYS_FILE keys.${masked(secret)} is a key of ${stored.entityId} already: give it the id ${stored.entityId}, or remove it`,
    )
  }
  if (stored === undefined || isUsable(stored, clock.now())) return
  logger.warn('API key of the file is revoked or expired, and remains so', { key: masked(secret), entityId })
}
