import { invalid, ZaelError } from '../model/errors.ts'
import { upstreamToJson } from '../model/json.ts'
import { isUpstreamName, UPSTREAM_NAME_RULE, type Upstream, type UpstreamDraft } from '../model/upstream.ts'
import { type SecretReader, SecretUnreadable } from '../ports/upstreams.ts'
import { type AdminDependencies, auditRecord, nextVersion, untilUnchanged } from './audit.ts'
import { checkItemPrecondition, type Precondition } from './precondition.ts'

/** Configured upstreams. All methods throw `StoreUnavailable`. */
export interface UpstreamService {
  /** By name, ascending. */
  list(): Promise<readonly Upstream[]>
  /** Throws `not_found`. */
  get(name: string): Promise<Upstream>
  /**
   * Creates or replaces the upstream. Throws `invalid_request`, also if its secret cannot be read, `conflict`, and
   * `precondition_failed` as `LimitSetService.replace`.
   */
  put(
    name: string,
    draft: UpstreamDraft,
    actor: string,
    precondition?: Precondition,
  ): Promise<{ readonly upstream: Upstream; readonly created: boolean }>
  /** Throws `not_found`, `conflict` while a model names it, and `precondition_failed`. */
  remove(name: string, actor: string, precondition?: Precondition): Promise<void>
}

export interface UpstreamDependencies extends AdminDependencies, DraftNeeds {
  /** The upstream of UPSTREAM_BASE_URL, which hides a stored one of its name and cannot be changed here. Null: none. */
  readonly environmentUpstream: Upstream | null
}

export interface DraftNeeds {
  readonly secretReader: SecretReader
  /** The region of AWS of this process; null: it has none. */
  readonly processRegion: string | null
}

/** Why this process could not use an upstream; undefined: it can. `must` completes "<field> must …". */
export const faultOfDraft = async (
  { secretReader, processRegion }: DraftNeeds,
  { kind, baseUrl, region, secret }: UpstreamDraft,
): Promise<{ readonly field: string; readonly must: string } | undefined> => {
  if (kind === 'bedrock' && baseUrl === null && region === null && processRegion === null) {
    return { field: 'region', must: 'be given: zael itself has no region (AWS_REGION)' }
  }
  if (secret === null) return undefined
  try {
    await secretReader.read(secret)
    return undefined
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error
    return { field: 'secret', must: `be readable by zael: ${error.message}` }
  }
}

export const createUpstreamService = (deps: UpstreamDependencies): UpstreamService => ({
  async list() {
    const stored = await deps.store.listUpstreams()
    const fixed = deps.environmentUpstream
    if (fixed === null) return stored
    const others = stored.filter(({ name }) => name !== fixed.name)
    return [...others, fixed].sort((a, b) => (a.name < b.name ? -1 : 1))
  },
  get: (name) => existing(deps, name),
  put: (name, draft, actor, precondition = {}) => putUpstream(deps, name, draft, actor, precondition),
  remove: (name, actor, precondition = {}) => removeUpstream(deps, name, actor, precondition),
})

const existing = async (deps: UpstreamDependencies, name: string): Promise<Upstream> => {
  const { store, environmentUpstream } = deps
  const upstream = environmentUpstream?.name === name ? environmentUpstream : await store.upstream(name)
  if (upstream === undefined) throw missing(name)
  return upstream
}

const putUpstream = async (
  deps: UpstreamDependencies,
  name: string,
  draft: UpstreamDraft,
  actor: string,
  precondition: Precondition,
) => {
  if (!isUpstreamName(name)) throw invalid('name', UPSTREAM_NAME_RULE)
  rejectFixed(deps, name)
  const fault = await faultOfDraft(deps, draft)
  if (fault !== undefined) throw invalid(fault.field, fault.must)
  return untilUnchanged(async () => {
    const before = await deps.store.upstream(name)
    checkItemPrecondition(before, precondition)
    const now = deps.clock.now()
    const version = nextVersion(now, before?.version ?? null)
    const upstream: Upstream = { ...draft, name, createdAt: before?.createdAt ?? now, version }
    const audit = auditRecord(deps, {
      actor,
      action: 'upstream.put',
      subject: `UPSTREAM#${name}`,
      before: before === undefined ? null : upstreamToJson(before),
      after: upstreamToJson(upstream),
    })
    const outcome = await deps.store.putUpstream(upstream, audit, before?.version ?? null)
    if (outcome === 'changed') return outcome
    deps.changed({ upstreamName: name })
    return { upstream, created: before === undefined }
  })
}

const removeUpstream = async (
  deps: UpstreamDependencies,
  name: string,
  actor: string,
  precondition: Precondition,
): Promise<void> => {
  rejectFixed(deps, name)
  await untilUnchanged(async () => {
    const before = await existing(deps, name)
    checkItemPrecondition(before, precondition)
    await rejectUsed(deps, name)
    const audit = auditRecord(deps, {
      actor,
      action: 'upstream.delete',
      subject: `UPSTREAM#${name}`,
      before: upstreamToJson(before),
      after: null,
    })
    const outcome = await deps.store.deleteUpstream(name, audit, before.version)
    return outcome === 'missing' ? 'changed' : outcome
  })
  deps.changed({ upstreamName: name })
}

const missing = (name: string) => new ZaelError('not_found', `There is no upstream ${name}`)

const rejectFixed = ({ environmentUpstream }: UpstreamDependencies, name: string): void => {
  if (environmentUpstream?.name !== name) return
  throw new ZaelError(
    'conflict',
    `The upstream ${name} is set by UPSTREAM_BASE_URL in the environment of zael: change it there`,
  )
}

/** Models in a message: with more, it would be unreadable. */
const MOST_NAMED = 10

const rejectUsed = async ({ store }: UpstreamDependencies, name: string): Promise<void> => {
  const models = (await store.listModels())
    .filter(({ upstreams }) => upstreams.some(({ upstream }) => upstream === name))
    .map(({ id }) => id)
  if (models.length === 0) return
  const named = models.slice(0, MOST_NAMED).join(', ')
  const others = models.length > MOST_NAMED ? ` and ${models.length - MOST_NAMED} more` : ''
  throw new ZaelError(
    'conflict',
    `The upstream ${name} is used by ${named}${others}: remove it from these models first`,
  )
}
