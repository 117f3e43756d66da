import * as v from 'valibot'
import { nextCursor } from './fields.ts'

/** The kinds of what administrators set, in the order in which they depend on each other. */
export const CONFIGURED_KINDS = [
  'upstream',
  'model',
  'defaults',
  'entity',
  'limits',
  'policy',
  'alert',
] as const

export type ConfiguredKind = (typeof CONFIGURED_KINDS)[number]

const etag = v.pipe(v.string(), v.description('For If-Match of a change'))

const id = (text: string) => v.pipe(v.string(), v.description(text))

/** An entry in a response; `value` has the notation of the body that sets it, without fields that have their defaults. */
export const configuredResponse = v.pipe(
  v.object({
    kind: v.picklist(CONFIGURED_KINDS),
    id: id(
      'Of `limits` `<entity>/<resource>`, of `defaults` `<role>/<resource>` (`/<resource>`: the system)',
    ),
    etag,
    fixed: v.pipe(v.boolean(), v.description('The environment sets it')),
    value: v.pipe(
      v.union([v.looseObject({}), v.array(v.looseObject({}))]),
      v.description('The body that sets it, or its list of limits, without defaults'),
    ),
  }),
  v.metadata({ ref: 'Configured' }),
)

export const configurationResponse = v.object({ items: v.array(configuredResponse), next_cursor: nextCursor })
