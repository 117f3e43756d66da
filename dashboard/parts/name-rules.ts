import { ALERT_NAME_PATTERN, ALERT_NAME_RULE } from '../../src/core/model/alert.ts'
import {
  ENTITY_BOUNDS,
  ID_PATTERN,
  ID_RULE,
  MODEL_ID_PATTERN,
  MODEL_ID_RULE,
  RESOURCE_PATTERN,
} from '../../src/core/model/entity.ts'
import {
  LIMIT_NAME_PATTERN,
  LIMIT_NAME_RULE,
  RESERVED_NAME_PATTERN,
  RESERVED_NAME_RULE,
} from '../../src/core/model/limit.ts'
import {
  MAX_MODEL_UPSTREAMS,
  SIGNING_SERVICES,
  UPSTREAM_KINDS,
  UPSTREAM_NAME_PATTERN,
  UPSTREAM_NAME_RULE,
} from '../../src/core/model/upstream.ts'

export { MAX_MODEL_UPSTREAMS, SIGNING_SERVICES, UPSTREAM_KINDS }

/** The error of a text, as a sentence; undefined if it is valid. */
export type Check = (text: string) => string | undefined

/** The id of an entity, role, tier or kind, or the selector of a policy. */
export const checkId: Check = (text) => (ID_PATTERN.test(text) ? undefined : `Must ${ID_RULE}`)

export const checkModelId: Check = (text) =>
  MODEL_ID_PATTERN.test(text) ? undefined : `Must ${MODEL_ID_RULE}`

export const checkUpstreamName: Check = (text) =>
  UPSTREAM_NAME_PATTERN.test(text) ? undefined : `Must ${UPSTREAM_NAME_RULE}`

export const checkAlertName: Check = (text) =>
  ALERT_NAME_PATTERN.test(text) ? undefined : `Must ${ALERT_NAME_RULE}`

export const checkResource: Check = (text) => (RESOURCE_PATTERN.test(text) ? undefined : checkModelId(text))

export const checkLimitName: Check = (text) => {
  if (!LIMIT_NAME_PATTERN.test(text)) return `Must ${LIMIT_NAME_RULE}`
  return RESERVED_NAME_PATTERN.test(text) ? `Must ${RESERVED_NAME_RULE}` : undefined
}

const { nameLength } = ENTITY_BOUNDS

export const checkName: Check = (text) =>
  text.length <= nameLength ? undefined : `Must be at most ${nameLength} characters`

/** Model ids separated by commas or spaces. */
export const checkModelIds: Check = (text) => {
  const wrong = text.split(/[\s,]+/).find((id) => id !== '' && !MODEL_ID_PATTERN.test(id))
  return wrong === undefined ? undefined : `${wrong} is not a model id: ${lowerFirst(checkModelId(wrong))}`
}

const lowerFirst = (text = ''): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`
