import * as v from 'valibot'
import type { ModelDraft } from '../core/model/model.ts'
import type { UpstreamDraft } from '../core/model/upstream.ts'
import { closedObject, plainRecord } from './containers.ts'
import { modelId } from './fields.ts'
import { modelBody, modelDraftOf } from './models.ts'
import { faultsOf, type LocatedFault } from './parse.ts'
import { upstreamBody, upstreamDraftOf, upstreamName } from './upstreams.ts'

/** The contents of `UPSTREAMS_FILE`, by name and id. */
export interface UpstreamsFile {
  readonly upstreams: ReadonlyMap<string, UpstreamDraft>
  readonly models: ReadonlyMap<string, ModelDraft>
}

/** Upstreams by name, and models by id, in files. Entries have the fields of the bodies of `PUT`. */
export const upstreamAndModelEntries = {
  upstreams: v.exactOptional(plainRecord(upstreamName, upstreamBody, 'be {<name>: {kind: <kind>, …}}')),
  models: v.exactOptional(plainRecord(modelId, modelBody, 'be {<id>: {upstreams: [{upstream: <name>}]}}')),
}

const fileDocument = closedObject(upstreamAndModelEntries, {
  object: 'be {upstreams: {<name>: {…}}, models: {<id>: {…}}}',
  unknown: 'not be given: the fields are upstreams and models',
})

/** The contents of a document, or every fault of it. */
export const parseUpstreamsFile = (
  document: unknown,
): { readonly file: UpstreamsFile } | { readonly faults: readonly LocatedFault[] } => {
  const faults = faultsOf(fileDocument, document)
  if (faults.length > 0) return { faults }
  const { upstreams = {}, models = {} } = v.parse(fileDocument, document)
  return { file: { upstreams: mapped(upstreams, upstreamDraftOf), models: mapped(models, modelDraftOf) } }
}

const mapped = <T, R>(
  entries: Readonly<Record<string, T>>,
  draftOf: (entry: T) => R,
): ReadonlyMap<string, R> => new Map(Object.entries(entries).map(([name, entry]) => [name, draftOf(entry)]))
