import { isDeepStrictEqual } from 'node:util'
import { StartError } from '../../src/command-line/failure.ts'
import { parseUpstreamsFile, type UpstreamsFile } from '../../src/contract/upstreams-file.ts'
import type { AdminDependencies } from '../../src/core/admin/audit.ts'
import { createModelService } from '../../src/core/admin/models.ts'
import { createUpstreamService, type DraftNeeds, faultOfDraft } from '../../src/core/admin/upstreams.ts'
import { shortened } from '../../src/core/model/errors.ts'
import { modelOf } from '../../src/core/model/model.ts'
import type { Upstream } from '../../src/core/model/upstream.ts'
import type { Logger } from '../../src/core/ports/platform.ts'
import { readYamlFile } from './yaml-file.ts'

const SETTING = 'UPSTREAMS_FILE'

/** Throws `StartError`, which lists every mistake. */
export const readUpstreamsFile = async (path: string): Promise<UpstreamsFile> => {
  const document = await readYamlFile(path, SETTING)
  const parsed = parseUpstreamsFile(document)
  if ('file' in parsed) return parsed.file
  throw new StartError(parsed.faults.map(({ path: at, must }) => mistake(at, must)).join('; '))
}

/** `UPSTREAMS_FILE models.gpt-4.upstreams[0].upstream must …` */
const mistake = (path: readonly string[], must: string): string => {
  const place = path
    .map((segment, index) => (index > 2 && /^\d+$/.test(segment) ? `[${segment}]` : `.${shortened(segment)}`))
    .join('')
    .replace(/^\./, ' ')
  return `${SETTING}${place} must ${must}`
}

export interface UpstreamLoading extends Omit<AdminDependencies, 'changed'>, DraftNeeds {
  readonly environmentUpstream: Upstream | null
  readonly logger: Logger
}

const ACTOR = 'upstreams-file'

/**
 * Writes the upstreams and models of a file into the table, except those that are equal already, so any number of nodes may do
 * it concurrently and repeatedly. Others in the table remain. Nothing is written if the file has a mistake. Throws `StartError`,
 * which lists every mistake, and `StoreUnavailable`.
 */
export const loadUpstreamsFile = async (loading: UpstreamLoading, file: UpstreamsFile): Promise<void> => {
  const mistakes = [...(await upstreamMistakes(loading, file)), ...(await modelMistakes(loading, file))]
  if (mistakes.length > 0) throw new StartError(mistakes.join('; '))
  const changed = (await writeUpstreams(loading, file)) + (await writeModels(loading, file))
  const [upstreams, models] = [file.upstreams.size, file.models.size]
  loading.logger.info('upstreams loaded', { upstreams, models, changed })
}

const upstreamMistakes = async (
  loading: UpstreamLoading,
  { upstreams }: UpstreamsFile,
): Promise<readonly string[]> => {
  const mistakes: string[] = []
  for (const [name, draft] of upstreams) {
    if (name === loading.environmentUpstream?.name) {
      mistakes.push(mistake(['upstreams', name], 'not be given: UPSTREAM_BASE_URL sets this upstream'))
    }
    const fault = await faultOfDraft(loading, draft)
    if (fault !== undefined) mistakes.push(mistake(['upstreams', name, fault.field], fault.must))
  }
  return mistakes
}

const modelMistakes = async (
  { store, environmentUpstream }: UpstreamLoading,
  { upstreams, models }: UpstreamsFile,
): Promise<readonly string[]> => {
  const mistakes: string[] = []
  const exists = async (name: string): Promise<boolean> =>
    upstreams.has(name) || name === environmentUpstream?.name || (await store.upstream(name)) !== undefined
  for (const [id, draft] of models) {
    for (const [index, { upstream }] of (draft.upstreams ?? []).entries()) {
      if (await exists(upstream)) continue
      const path = ['models', id, 'upstreams', String(index), 'upstream']
      mistakes.push(mistake(path, `be the name of an upstream: there is no ${upstream}`))
    }
  }
  return mistakes
}

const writeUpstreams = async (loading: UpstreamLoading, { upstreams }: UpstreamsFile): Promise<number> => {
  const service = createUpstreamService({ ...loading, changed: () => {} })
  let changed = 0
  for (const [name, draft] of upstreams) {
    const stored = await loading.store.upstream(name)
    if (stored !== undefined && isDeepStrictEqual(stored, { ...stored, ...draft })) continue
    await service.put(name, draft, ACTOR)
    changed += 1
  }
  return changed
}

const writeModels = async (loading: UpstreamLoading, { models }: UpstreamsFile): Promise<number> => {
  const { store, environmentUpstream } = loading
  const service = createModelService({
    ...loading,
    changed: () => {},
    hasEnvironmentUpstream: (name) => name === environmentUpstream?.name,
  })
  let changed = 0
  for (const [id, draft] of models) {
    const stored = await store.model(id)
    if (
      stored !== undefined &&
      isDeepStrictEqual(stored, modelOf(id, draft, stored.createdAt, stored.version))
    )
      continue
    await service.put(id, draft, ACTOR)
    changed += 1
  }
  return changed
}
