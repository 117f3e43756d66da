import * as v from 'valibot'
import { POLICY_PATH_RULE, policyOfPath } from '../core/model/policy.ts'
import { alertBody, alertName } from './alerts.ts'
import { checkedBy, closedObject, plainRecord } from './containers.ts'
import { entityFields } from './entities.ts'
import { id, resource } from './fields.ts'
import { limitList } from './limit-sizes.ts'
import { faultsOf, type LocatedFault } from './parse.ts'
import { upstreamAndModelEntries } from './upstreams-file.ts'

/*
 * The shape of zael.yaml, the declarative configuration. Entries have the fields of the bodies that set them over HTTP. Each
 * mapping from names to entries is optional: what a file does not mention is not managed by it.
 */

const byResource = plainRecord(resource, limitList, 'be {<resource>: [<limit>, …]}')

const limitsByResource = v.pipe(
  byResource,
  v.description('Lists of limits by resource; `_default_`: every resource without limits of its own'),
)

const policyPathKey = v.pipe(
  v.string(),
  v.check((text) => policyOfPath(text) !== undefined, POLICY_PATH_RULE),
)

const policyLimits = v.pipe(
  limitList,
  checkedBy((limits) => (limits.length > 0 ? undefined : { must: 'contain at least one limit' })),
)

const known = (names: string): string => `not be given: the fields are ${names}`

const entityEntry = closedObject(
  { ...entityFields, limits: v.exactOptional(limitsByResource) },
  { unknown: known([...Object.keys(entityFields), 'limits'].join(', ')) },
)

const defaults = closedObject(
  {
    system: v.exactOptional(limitsByResource),
    roles: v.exactOptional(plainRecord(id, limitsByResource, 'be {<role>: {<resource>: [<limit>, …]}}')),
  },
  { unknown: known('system, roles') },
)

export const declarationDocument = closedObject(
  {
    ...upstreamAndModelEntries,
    defaults: v.exactOptional(defaults),
    entities: v.exactOptional(plainRecord(id, entityEntry, 'be {<id>: {name: <name>, …}}')),
    policies: v.exactOptional(
      plainRecord(policyPathKey, policyLimits, 'be {<scope>/<selector>: [<limit>, …]}'),
    ),
    alerts: v.exactOptional(plainRecord(alertName, alertBody, 'be {<name>: {shares: [<share>, …], …}}')),
  },
  {
    object: 'be {upstreams, models, defaults, entities, policies, alerts}, each optional',
    unknown: known('upstreams, models, defaults, entities, policies, alerts'),
  },
)

/** The parsed contents of zael.yaml. */
export type Declaration = v.InferOutput<typeof declarationDocument>

/** The contents of a document, or every fault of it. */
export const parseDeclaration = (
  document: unknown,
): { readonly declaration: Declaration } | { readonly faults: readonly LocatedFault[] } => {
  const faults = faultsOf(declarationDocument, document)
  return faults.length > 0 ? { faults } : { declaration: v.parse(declarationDocument, document) }
}
